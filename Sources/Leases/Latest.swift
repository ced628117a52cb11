internal import Synchronization

/// A value that others read while one task changes it.
final class Latest<Value: Equatable & Sendable>: Sendable {
    private let current: Mutex<Value>

    init(_ value: Value) { current = Mutex(value) }

    var value: Value { current.withLock { $0 } }

    /// True if it is another than before.
    func isNews(_ value: Value) -> Bool {
        current.withLock { current in
            defer { current = value }
            return current != value
        }
    }
}
