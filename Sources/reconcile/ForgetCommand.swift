import ArgumentParser
import ControlLoop
import Model
import Planning
import Reporting
import Sources
import State

struct ForgetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget",
        abstract: "Lets go of a component that the spec does not name any more.",
        discussion: """
            A component that disappears from the spec is left as it is, its fence included:
            what deployed it by itself before stays switched off. This gives the automation
            back, if it still has the value that Belay gave it, and forgets what is recorded
            of the component: its releases, its configuration, its pin. What runs is not
            touched.

              reconcile forget web -f system.yaml                 web was taken out of it
              reconcile forget web --system shop --state DIR      the whole spec is gone
              reconcile forget web -f system.yaml --leave-fence   its provider is gone

            To keep a component and give its automation back, say fence: false in the spec.

            Exit codes: 0 forgotten; 1 nothing is recorded of it, or its fence could not be
            taken down, and then nothing is forgotten; 3 the spec still names it, an open
            transition still moves it, or somebody else works on the system.
            """)

    @Argument(help: "The component's name, as it was in the spec.")
    var component: String

    @Flag(help: "Forget it without giving its automation back: for a target that is gone, or a provider that cannot be reached.")
    var leaveFence = false

    @OptionGroup(title: "Specs") var specs: SpecOptions
    @OptionGroup(title: "State") var state: StateOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func validate() throws {
        if specs.files.isEmpty, specs.system == nil {
            throw ValidationError("Name the spec that the component was in (-f PATH), or, when it is gone, its system (--system NAME).")
        }
        if !specs.files.isEmpty { _ = try specs.required() }
    }

    func run() async throws {
        let program = Program(stateDirectory: state.directory)
        throw await program.untilInterrupted { ExitCode(await forget(program), program.output) }
    }

    private func forget(_ program: Program) async -> Verdict {
        guard let system = await system(program) else { return .failure }
        let holder = LockHolder.current(command: "reconcile forget", environment: program.variables, since: program.reconciler.now())
        let report = await program.reconciler.forget(component, of: system, ForgetOptions(leavesFence: leaveFence, holder: holder))
        switch output.form {
        case .text: program.output.result(report.text(program.output.style))
        case .markdown: program.output.result(report.markdown)
        case .json: program.output.result(.list("ForgetReportList", [report.json]))
        }
        return report.verdict
    }

    /// The system that the component was in; nil after it has been told why there is none.
    private func system(_ program: Program) async -> System? {
        if specs.files.isEmpty, let name = specs.system {
            let parts = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            return System(id: parts.count == 2 ? SystemID(namespace: parts[0], name: parts[1]) : SystemID(name: name))
        }
        guard let (_, _, systems) = await program.systems(specs, output.form, readsMigrations: false) else { return nil }
        if systems.count == 1 { return systems.first }
        let names = systems.map(\.id.description).joined(separator: ", ")
        program.output.error("the specs hold \(systems.count) systems; choose one with --system: \(names)")
        return nil
    }
}
