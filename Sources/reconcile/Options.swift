import ArgumentParser
import ControlLoop
import Model
import Planning

/// Which specs a command reads.
struct SpecOptions: ParsableArguments {
    @Option(
        name: [.customShort("f"), .customLong("file")], parsing: .singleValue,
        help: ArgumentHelp("A spec file, a directory of them, or - for standard input. May be given more than once.", valueName: "path"),
        completion: .file(extensions: ["yaml", "yml"]))
    var files: [String] = []

    @Option(help: ArgumentHelp("Only this system, as NAME or NAMESPACE/NAME.", valueName: "name"))
    var system: String?

    /// The paths; a usage error when there is none. Not `validate()`: without arguments the root command prints its help.
    func required() throws -> [String] {
        guard !files.isEmpty else { throw ValidationError("Name the specs: -f PATH (a file, a directory, or - for standard input).") }
        guard files.filter({ $0 == "-" }).count <= 1 else { throw ValidationError("Standard input (-) can be read only once.") }
        return files
    }

    /// True for every system where none was chosen.
    func names(_ id: SystemID) -> Bool { system.map { id.name == $0 || id.description == $0 } ?? true }
}

/// What may be lost, beside what the spec approves.
struct ApprovalOptions: ParsableArguments {
    @Option(
        name: .customLong("approve"), parsing: .singleValue,
        help: ArgumentHelp(
            "Approve the loss of data that a plan shows, by its digest. May be given more than once; a commit can say it too: approve: [DIGEST].",
            valueName: "digest"))
    var digests: [String] = []

    func applied(to system: System) -> System {
        var system = system
        system.approvals += digests
        return system
    }
}

/// Where state is kept.
struct StateOptions: ParsableArguments {
    @Option(
        name: .customLong("state"),
        help: ArgumentHelp(
            "Where locks, journals and release records are kept. Default: what the spec says under state, else $XDG_STATE_HOME/belay.",
            valueName: "directory"),
        completion: .directory)
    var directory: String?
}

/// How a command prints its result.
enum OutputForm: String, ExpressibleByArgument, CaseIterable {
    case text, json, markdown
}

struct OutputOptions: ParsableArguments {
    @Option(name: [.customShort("o"), .customLong("output")], help: "How the result is printed.")
    var form: OutputForm = .text
}

/// A length of time on the command line: `90s`, `5m`, `1h30m`.
struct TimeLimit: ExpressibleByArgument {
    var duration: Duration

    init(_ duration: Duration) { self.duration = duration }

    init?(argument: String) {
        var seconds: Int64 = 0
        var digits = ""
        for character in argument {
            if character.isASCII, character.isNumber {
                digits.append(character)
                continue
            }
            guard let unit = ["s": 1, "m": 60, "h": 3600][character] as Int64?, let value = Int64(digits), value < 1_000_000 else {
                return nil
            }
            seconds += value * unit
            digits = ""
        }
        guard digits.isEmpty, seconds > 0 else { return nil }
        duration = .seconds(seconds)
    }

    var defaultValueDescription: String {
        duration.components.seconds % 60 == 0 ? "\(duration.components.seconds / 60)m" : "\(duration.components.seconds)s"
    }
}

extension ExitCode {
    /// The verdict's, unless the result could not be written.
    init(_ verdict: Verdict, _ output: Output) {
        if output.isBroken { output.error("the result could not be written") }
        self.init(output.isBroken ? .failure : verdict)
    }

    init(_ verdict: Verdict) { self.init(verdict.exitStatus) }
}
