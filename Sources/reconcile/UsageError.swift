import JSONValues
import Reporting

/// A command line that is not understood, for machines. For people it stands on standard error with the usage, whatever the form.
struct UsageError {
    var message: String

    /// As it is printed.
    var text: String { json.pretty }

    private var json: JSON {
        .list("ErrorList", [["reason": "Usage", "message": .string(message), "next": "see reconcile help, or COMMAND --help"]])
    }

    /// Whether an answer in JSON was asked for, as far as that can be told of what is not understood as a whole.
    static func wantsJSON(_ arguments: [String]) -> Bool {
        for (index, argument) in arguments.enumerated() {
            switch argument {
            case "--": return false
            case "-o=json", "--output=json": return true
            case "-o", "--output": if arguments.dropFirst(index + 1).first == "json" { return true }
            default: continue
            }
        }
        return false
    }
}
