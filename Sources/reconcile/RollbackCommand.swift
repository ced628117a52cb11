import ArgumentParser
import ControlLoop
import Model
import Planning
import Reporting
import Sources
import State

struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Pins an earlier release in the spec file, with the configuration that belonged to it.",
        discussion: """
            previous and last-known-good are looked up in what is recorded of the system, and a
            concrete pin is written: the release, the values of env that the spec had when that
            release was pinned (where its commit is in the Git history), and its requires. Nothing
            is done to what runs: that is what reconcile --once, or the operator, does then.

              reconcile rollback web -f system.yaml                   to what web ran before
              reconcile rollback web --to last-known-good -f …        the last one whose checks passed
              reconcile rollback web --to dpl_7HxQ2m -f …             see reconcile history web
              reconcile rollback --all -f … --commit --push --reason "carts are lost"

            --all takes back what the last change moved: the releases of its components, and the
            schemas that were recorded with them.

            Exit codes: 0 pinned; 1 there is nothing to go back to, or it is refused, and the file
            is as it was; 3 the tree is dirty or the remote moved; 64 usage.
            """)

    @Argument(help: "The component.")
    var component: String?

    @Flag(help: "Everything that the last change of the system moved.")
    var all = false

    @Option(help: ArgumentHelp("previous, last-known-good, or a release.", valueName: "release"))
    var to = "previous"

    @Flag(help: "Leave env as it is.")
    var keepEnv = false

    @OptionGroup(title: "Specs") var specs: SpecOptions
    @OptionGroup(title: "Change") var change: ChangeOptions
    @OptionGroup(title: "State") var state: StateOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws {
        _ = try specs.required()
        if all == (component != nil) {
            throw ValidationError(all ? "Name a component or say --all, not both." : "Name the component, or say --all.")
        }
        if all, to != "previous" { throw ValidationError("--all goes to what was before the last change: it takes no --to.") }
        if Pin(word: to) == nil { throw ValidationError("\(to): commit= takes 7 to 64 hexadecimal digits, revision= a number from 1.") }
    }

    func run() async throws {
        let program = Program(stateDirectory: state.directory)
        throw ExitCode(await program.untilInterrupted { await rollBack(program) }, program.output)
    }

    private func rollBack(_ program: Program) async -> Verdict {
        guard let (source, snapshot, systems) = await program.systems(specs, output.form), let system = chosen(systems, program) else {
            return .failure
        }
        do throws(StateError) {
            let recorded = try await program.reconciler.store(system).load()
            let rollback = Rollback(
                program: program, system: system, recorded: recorded, source: source, keepsConfiguration: keepEnv, form: output.form)
            let items: [SpecChange.Item]?
            if let component, let named = system.components.first(where: { $0.name == component }) {
                items = try await rollback.items(of: named, to: to)
            } else {
                items = try await rollback.itemsOfTheLastChange()
            }
            guard let items else { return .failure }
            let change = SpecChange(items: items, verb: "roll back", reason: change.reason)
            switch await program.change(system, in: snapshot, by: change, self.change, output.form) {
            case .success(let result):
                program.show(result, output.form)
                return result.verdict
            case .failure(let refusal): return refusal.verdict
            }
        } catch {
            program.refuse("\(system.id): \(error)", output.form)
            return .failure
        }
    }

    /// The system that is meant; nil after it has been told why there is not one.
    private func chosen(_ systems: [System], _ program: Program) -> System? {
        guard let component else {
            if systems.count == 1 { return systems[0] }
            let names = systems.map(\.id.description).joined(separator: ", ")
            program.refuse("the specs hold \(systems.count) systems; choose one with --system: \(names)", output.form)
            return nil
        }
        guard case (let system, .component)? = program.resource("component/\(component)", in: systems, output.form) else { return nil }
        return system
    }
}
