import ArgumentParser
import FoundationEssentials
import Planning
import Serving
import Sources

/// A repository to read specs from, instead of paths.
struct GitOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Read the specs from a Git repository: its URL. Credentials are git's own (ssh, credential helpers), or BELAY_GIT_TOKEN for HTTPS.",
            valueName: "url"))
    var git: String?

    @Option(help: ArgumentHelp("With --git: a branch, a tag or a commit. Default: the repository's own branch.", valueName: "ref"))
    var ref: String?

    @Option(
        name: .customLong("path"), parsing: .singleValue,
        help: ArgumentHelp("With --git: a spec file or a directory in the repository. May be given more than once. Default: all of it."))
    var paths: [String] = []

    /// Where specs are; a usage error where that is not clear.
    func address(beside specs: SpecOptions) throws -> GitAddress? {
        guard let git else {
            if let option = ref != nil ? "--ref" : paths.isEmpty ? nil : "--path" {
                throw ValidationError("\(option) belongs to --git URL. To name files on this machine: -f PATH.")
            }
            return nil
        }
        guard specs.files.isEmpty else { throw ValidationError("Name the specs by -f or by --git, not by both.") }
        do throws(SourceError) {
            return try GitAddress(git, ref: ref, paths: paths)
        } catch {
            throw ValidationError("\(error.message).")
        }
    }
}

/// How the loop keeps watch.
struct WatchOptions: ParsableArguments {
    @Option(help: ArgumentHelp("How often a system is looked at though nothing changed. Default: 5m.", valueName: "duration"))
    var resync: TimeLimit?

    @Option(help: ArgumentHelp("How often a repository is asked for news. Default: 30s.", valueName: "duration"))
    var poll: TimeLimit?

    @Option(help: ArgumentHelp("How many systems are worked on at once. Default: 8.", valueName: "number"))
    var concurrency: Int?

    @Option(
        help: ArgumentHelp(
            "Serve health, metrics and webhooks here, such as :8080 (every address of the machine) or 127.0.0.1:8080. Default: nothing is served.",
            valueName: "address"))
    var listen: GivenAddress?

    func validate() throws {
        if let concurrency, !(1...256).contains(concurrency) { throw ValidationError("--concurrency is a number from 1 to 256.") }
    }

    /// The option that was given and means nothing without the loop; nil when none was.
    var given: String? {
        resync != nil ? "--resync" : poll != nil ? "--poll" : concurrency != nil ? "--concurrency" : listen != nil ? "--listen" : nil
    }

    /// What is to be served; nil when nothing is.
    func served() throws -> Served? {
        guard let listen else { return nil }
        let variables = ProcessInfo.processInfo.environment
        do throws(ServingError) {
            return try Served(on: listen.address, variables, now: Program.now)
        } catch {
            Output(variables: variables, secrets: []).error(error.message)
            throw ExitCode(.failure)
        }
    }
}

/// An address on the command line: `:8080`.
struct GivenAddress: ExpressibleByArgument {
    var address: ListenAddress

    init?(argument: String) {
        guard let address = ListenAddress(argument) else { return nil }
        self.address = address
    }
}
