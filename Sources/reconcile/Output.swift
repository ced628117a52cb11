import JSONValues
import Synchronization
import TextLayout

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The program's two streams: results on standard output, progress and errors on standard error. Known secrets never pass.
struct Output: Sendable {
    /// For results.
    let style: TextStyle
    /// For progress and errors.
    let errorStyle: TextStyle
    /// True if progress may redraw its lines.
    let isLive: Bool
    /// True once a result could not be written, the disk being full for instance: the exit code must say so.
    var isBroken: Bool { broken.value.load(ordering: .relaxed) }
    private let broken = Broken()
    private let secrets: [String]

    private final class Broken: Sendable {
        let value = Atomic(false)
    }

    /// - Parameter secrets: values that must not appear; those under six characters are left alone, as they would hide half of the text.
    init(variables: [String: String], secrets: [String]) {
        let wantsColour = (variables["NO_COLOR"] ?? "").isEmpty && variables["TERM"] != "dumb"
        let forced = !(variables["FORCE_COLOR"] ?? "").isEmpty
        style = TextStyle(isColoured: wantsColour && (forced || isatty(STDOUT_FILENO) == 1))
        isLive = isatty(STDERR_FILENO) == 1 && variables["TERM"] != "dumb" && (variables["CI"] ?? "").isEmpty
        errorStyle = TextStyle(isColoured: wantsColour && (forced || isatty(STDERR_FILENO) == 1))
        self.secrets = secrets.filter { $0.utf8.count >= 6 }
    }

    func result(_ text: String) { write(text, to: STDOUT_FILENO) }

    func result(_ json: JSON) { write(json.pretty + "\n", to: STDOUT_FILENO) }

    func progress(_ text: String) { write(text, to: STDERR_FILENO) }

    /// One error line: `reconcile: …`.
    func error(_ message: String) { write("\(errorStyle.red("reconcile:")) \(message)\n", to: STDERR_FILENO) }

    private func write(_ text: String, to descriptor: Int32) {
        var rest = Array(redacted(text).utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                if errno != EPIPE, descriptor == STDOUT_FILENO { broken.value.store(true, ordering: .relaxed) }
                return
            }
            rest = rest.dropFirst(count)
        }
    }

    private func redacted(_ text: String) -> String {
        secrets.reduce(text) { text, secret in
            text.contains(secret) ? text.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "(secret)") : text
        }
    }
}
