import Glibc

/// Runs work that may need much stack on a thread of its own, and waits for it: the caller does the same work, only elsewhere. The memory is
/// reserved, and taken only as far as it is used.
enum LargeStack {
    /// libpg_query needs 640 bytes for a level of a tree, and a level takes at least two tokens: enough for twice ``tokenLimit``.
    static let bytes = 128 << 20
    static let tokenLimit = 100_000
    /// Up to here the caller's own stack will do: 256 KB at most, where every other token is a level.
    static let ownTokens = 200

    private final class Work {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    /// Nil if the system gives no thread.
    /// - Parameter tokens: of the longest statement that is read.
    static func run<Result>(tokens: Int, _ body: () -> Result) -> Result? {
        guard tokens > ownTokens else { return body() }
        var result: Result?
        withoutActuallyEscaping(body) { body in
            let work = Work { result = body() }
            var attributes = pthread_attr_t()
            guard pthread_attr_init(&attributes) == 0 else { return }
            defer { pthread_attr_destroy(&attributes) }
            guard pthread_attr_setstacksize(&attributes, bytes) == 0 else { return }
            var thread = pthread_t()
            let status = pthread_create(
                &thread, &attributes,
                { argument in
                    guard let argument else { return nil }
                    Unmanaged<Work>.fromOpaque(argument).takeUnretainedValue().body()
                    return nil
                }, Unmanaged.passUnretained(work).toOpaque())
            if status == 0 { pthread_join(thread, nil) }
            withExtendedLifetime(work) {}
        }
        return result
    }
}
