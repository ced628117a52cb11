internal import Dispatch
public import Model
public import ProviderKit

/// Keeps flags in a file that flagd watches. Sends nothing over a network.
///
/// The file is replaced in one step. Two processes of Belay take turns by a lock on the file's directory; a change that somebody else makes
/// to the file while it is being edited is seen, and then nothing is written. See ``FlagdTarget``.
public struct FlagdStore: FlagStore {
    private let queue = DispatchQueue(label: "belay.flagd-file")

    public init() {}

    public var promise: FlagPromise {
        FlagPromise(
            isAtomic: true, propagation: .seconds(5),
            killSemantics: "the variant off, as the flag's default, without targeting: flagd watches the file")
    }

    public func observe(_ names: [String], in target: FlagdTarget) async -> [String: FlagObservation] {
        await onDisk {
            let file = FlagFile(path: target.file)
            do throws(Problem) {
                let document = try FlagdDocument(parsing: try file.read().text, place: file.place)
                return Dictionary(names.map { ($0, document.observation(of: $0)) }) { first, _ in first }
            } catch {
                return FlagObservation.all(names, error)
            }
        }
    }

    public func apply(_ changes: [FlagChange], to target: FlagdTarget, reason: String) async -> ApplyResult {
        await onDisk {
            let file = FlagFile(path: target.file)
            do throws(FlagFile.Failure) {
                let isWritten = try file.edit { text throws(Problem) in
                    var document = try FlagdDocument(parsing: text, place: file.place)
                    return try document.make(changes, in: file.place) ? document.text : nil
                }
                return isWritten ? .accepted(["file": target.file]) : .alreadySo
            } catch {
                return switch error {
                case .nothingWritten(let problem): .refused(problem)
                case .busy(let problem): .throttled(problem)
                case .perhapsWritten(let problem): .unknown(problem)
                }
            }
        }
    }

    private func onDisk<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: work()) }
        }
    }
}
