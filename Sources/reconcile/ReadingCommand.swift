import ArgumentParser
import JSONValues
import Model
import Planning
import Reporting
import Sources
import State
import TextLayout

/// The options of every command that reads specs and changes nothing.
struct ReadingOptions: ParsableArguments {
    @OptionGroup(title: "Specs") var specs: SpecOptions
    @OptionGroup(title: "Cluster") var cluster: ClusterOptions
    @OptionGroup(title: "State") var state: StateOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws {
        try cluster.check(beside: specs)
        guard !cluster.cluster else { return }
        guard !specs.files.isEmpty else {
            throw ValidationError(
                "Name the specs: -f PATH (a file, a directory, or - for standard input), or --cluster for System objects.")
        }
        _ = try specs.required()
    }
}

/// What such a command is asked about.
struct ReadSystems: Sendable {
    var source: any SpecSource
    var systems: [(system: System, snapshot: Snapshot)]
    /// False if something else does not load or could not be read, which has been told.
    var isWhole = true
}

/// What a command says of one system, in every form in which it may be asked for.
struct Answer: Sendable {
    var text: @Sendable (TextStyle) -> String
    var markdown: @Sendable () -> String
    var json: @Sendable () -> JSON
    var verdict: Verdict
}

extension ReadingOptions {
    var program: Program {
        Program(
            stateDirectory: state.directory, context: cluster.context,
            usualPlace: cluster.cluster ? .cluster(namespace: nil, context: cluster.context) : nil)
    }

    /// Nil after it has been told why there is nothing to ask about.
    ///
    /// - Parameter readsMigrations: false for what has no use for migrations: then no host of a repository is waited for.
    func read(_ program: Program, readsMigrations: Bool = true) async -> ReadSystems? {
        guard cluster.cluster else {
            let found = await program.systems(specs, output.form, readsMigrations: readsMigrations)
            return found.map { (source, snapshot, systems) in ReadSystems(source: source, systems: systems.map { ($0, snapshot) }) }
        }
        let run: ClusterRun
        do { run = try ClusterRun(cluster, program, watches: false) } catch { return nil }  // It was told.
        return await run.read(specs, output.form, readsMigrations: readsMigrations)
    }

    /// Asks `question` of every system and prints the answers; the worst verdict is the exit code.
    ///
    /// - Parameter list: the kind of the JSON list: `PlanList`.
    func answer(
        list: String, _ question: @escaping @Sendable (Program, System, Snapshot, any SpecSource) async throws(StateError) -> Answer
    ) async -> ExitCode {
        let program = program
        return await program.untilInterrupted {
            guard let read = await read(program) else { return ExitCode(.failure) }
            var verdict = read.isWhole ? Verdict.inSync : .failure
            var items: [JSON] = []
            for (system, snapshot) in read.systems {
                do throws(StateError) {
                    let answer = try await question(program, system, snapshot, read.source)
                    verdict = max(verdict, answer.verdict)
                    switch output.form {
                    case .text: program.output.result(answer.text(program.output.style))
                    case .markdown: program.output.result(answer.markdown())
                    case .json: items.append(answer.json())
                    }
                } catch {
                    program.output.error("\(system.id): \(error)")
                    verdict = .failure
                }
            }
            if output.form == .json { program.output.result(.list(list, items)) }
            return ExitCode(verdict, program.output)
        }
    }
}
