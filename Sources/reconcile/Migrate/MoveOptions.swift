import ArgumentParser
import ControlLoop
import JSONValues
import Model
import Planning
import Reporting
import Sources
import State

/// The options of the commands that pin another schema, and how they do it.
struct MoveOptions: ParsableArguments {
    @OptionGroup var options: DatabaseOptions
    @OptionGroup(title: "Change") var change: ChangeOptions

    @Flag(help: "Go there at once, as reconcile --once with the new pin would: the whole system, in its order.")
    var now = false

    @OptionGroup(title: "Approval") var approval: ApprovalOptions
    @OptionGroup(title: "State") var state: StateOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    @Option(help: ArgumentHelp("With --now: how long all passes together may take.", valueName: "duration"))
    var timeout = TimeLimit(.seconds(1800))

    func validate() throws {
        if now, change.dryRun { throw ValidationError("--dry-run changes nothing, and --now goes there: say one of them.") }
        if now, options.specs.files.contains("-") {
            throw ValidationError("--now reads the changed file again: name it, standard input has none.")
        }
        if !now, !approval.digests.isEmpty { throw ValidationError("--approve belongs to --now; otherwise give it to reconcile --once.") }
    }

    /// - Parameter everything: how to say all of them.
    static func validate(count: Int?, _ everything: String) throws {
        guard let count, count < 1 else { return }
        throw ValidationError("--count \(count): say how many, from 1. \(everything)")
    }

    /// Where to.
    enum Aim: Sendable {
        /// So many of those that are not applied; nil: all.
        case up(Int?)
        /// So many of those that are applied.
        case down(Int)
        case to(String)
    }

    func run(_ aim: Aim) async -> ExitCode {
        let program = Program(stateDirectory: state.directory)
        return ExitCode(await program.untilInterrupted { await move(aim, program) }, program.output)
    }

    private func move(_ aim: Aim, _ program: Program) async -> Verdict {
        guard let chosen = await ChosenDatabase(options, program, output.form), let pin = await pin(aim, chosen, program) else {
            return .failure
        }
        let change = SpecChange(items: [.schema(of: chosen.database, pin)], reason: change.reason)
        switch await program.change(chosen.system, in: chosen.snapshot, by: change, self.change, output.form) {
        case .failure(let refusal): return refusal.verdict
        case .success(let result):
            guard now, result.verdict == .inSync else {
                program.show(result, output.form)
                return result.verdict
            }
            if output.form != .json { program.show(result, output.form) }
            return await goThere(chosen.system, result, program)
        }
    }

    private func goThere(_ system: System, _ result: ChangeResult, _ program: Program) async -> Verdict {
        let once = OnceRun(
            program: program, form: output.form, adopt: false, force: false, approval: approval, timeout: timeout.duration,
            isStatePlaced: state.directory != nil || !(program.variables["XDG_STATE_HOME"] ?? "").isEmpty)
        var specs = options.specs
        specs.system = system.id.description
        guard output.form == .json else { return await once(specs, from: [("", PathSource(specs.files))]) }
        guard let reports = await once.reports(specs, from: [("", PathSource(specs.files))]) else { return .failure }
        program.output.result([
            "apiVersion": "belay.dev/v1alpha1", "kind": "MigrateReport", "change": result.json, "passes": .array(reports.map(\.json)),
        ])
        return once.verdict(of: reports)
    }

    // MARK: - Which pin

    /// The resulting pin; nil after it has been told why there is none.
    private func pin(_ aim: Aim, _ chosen: ChosenDatabase, _ program: Program) async -> String? {
        let database = chosen.database
        if case .to(let version) = aim { return program.version(version, of: database, output.form) }
        let observation: DatabaseObservation
        do throws(StateError) {
            observation = try await program.reconciler.observe(database, of: chosen.system, revision: chosen.snapshot.revision)
        } catch {
            program.refuse("\(chosen.system.id): \(error)", output.form)
            return nil
        }
        guard let applied = observation.applied else {
            let why = observation.problem?.description ?? "it cannot be observed"
            program.refuse("\(why); to pin without asking the database: reconcile migrate to VERSION", output.form)
            return nil
        }
        switch Self.pin(aim, of: database.id, applied: Set(applied), among: observation.migrations) {
        case .success(let pin):
            if case .down(let count) = aim { tellIrreversible(count, observation, Set(applied), program) }
            return pin
        case .failure(let problem):
            program.refuse(problem.description, output.form)
            return nil
        }
    }

    /// What is asked for, as a pin: of what is applied, in the order of the migrations.
    static func pin(
        _ aim: Aim, of database: ResourceID, applied: Set<String>, among migrations: [DatabaseObservation.Migration]
    ) -> Result<String, Problem> {
        let standing = migrations.filter { applied.contains($0.version) }
        switch aim {
        case .to(let version): return .success(version)
        case .up(let count):
            let open = migrations.indices.filter { !applied.contains(migrations[$0].version) && migrations[$0].isInSource }
            guard let last = migrations.last(where: \.isInSource)?.version else {
                return .failure(Problem("NoMigrations", "\(database): there are no migrations", next: "reconcile migrate new NAME"))
            }
            guard (count ?? open.count) <= open.count else {
                let many = count ?? 0
                return .failure(
                    Problem(
                        "TooFar",
                        open.isEmpty
                            ? "\(database): all that have a file are applied, so that nothing is ahead"
                            : "\(database): only \(open.count) \(open.count == 1 ? "is" : "are") not applied, so that \(many) cannot be",
                        next: open.isEmpty
                            ? "to pin the last one: reconcile migrate to \(last)" : "say --count \(open.count), or leave it out"))
            }
            guard !open.isEmpty else { return .success(last) }
            let wanted = open[(count ?? open.count) - 1]
            let highest = migrations.lastIndex { applied.contains($0.version) && $0.isInSource } ?? -1
            return .success(migrations[max(wanted, highest)].version)
        case .down(let count):
            guard count <= standing.count else {
                return .failure(
                    Problem(
                        "TooFar",
                        "\(database): \(standing.isEmpty ? "none is applied" : "only \(standing.count) are applied"), so that \(count) cannot be taken back",
                        next: standing.isEmpty ? "see reconcile migrate status" : "say --count \(standing.count) for the empty schema"))
            }
            guard let last = standing.dropLast(count).last else { return .success(Database.emptySchema) }
            guard last.isInSource else {
                return .failure(
                    Problem(
                        "PinNotFound", "\(database): the last one left would be \(last.version), whose file is gone",
                        next: "restore the file, or choose another count"))
            }
            return .success(last.version)
        }
    }

    /// What the plan will refuse is told now as well.
    private func tellIrreversible(_ count: Int, _ observation: DatabaseObservation, _ applied: Set<String>, _ program: Program) {
        for migration in observation.migrations.filter({ applied.contains($0.version) }).suffix(count).reversed()
        where migration.down == nil {
            program.output.progress("note: nothing takes \(migration.version) back: the plan to this pin will be refused\n")
        }
    }
}
