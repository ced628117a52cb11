internal import Synchronization

/// The last things that a server said beside its answers.
final class NoticeBox: Sendable {
    private let notices = Mutex<[String]>([])

    func add(_ text: String) {
        notices.withLock { notices in
            notices.append(text.split(separator: "\n").first.map(String.init) ?? text)
            if notices.count > 50 { notices.removeFirst() }
        }
    }

    func take() -> [String] {
        notices.withLock { notices in
            defer { notices = [] }
            return notices
        }
    }
}
