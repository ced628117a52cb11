import ArgumentParser
import ControlLoop
import Model
import Planning
import Sources
import State
import TextLayout

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Prints what would be done, and changes nothing.",
        discussion: """
            Exit codes: 0 nothing to do; 1 failed; 2 changes pending; 3 blocked, somebody must decide.
            -o markdown is made for a comment on a pull request.

              reconcile plan -f specs/
              reconcile plan --cluster --namespace prod --system shop     the System objects of a cluster
            """)

    @OptionGroup var options: ReadingOptions
    @OptionGroup(title: "Approval") var approval: ApprovalOptions

    func run() async throws {
        let approval = approval
        throw await options.answer(list: "PlanList") { program, system, snapshot, source throws(StateError) in
            let survey = try await program.reconciler.survey(approval.applied(to: system), revision: snapshot.revision)
            var plan = survey.plan
            plan.refusal = await program.reconciler.refusal(of: survey, from: source, adopts: snapshot.adopts, forces: false)
            return Answer(
                text: { [plan] in plan.text(colour: $0.isColoured) }, markdown: { [plan] in plan.markdown }, json: { [plan] in plan.json },
                verdict: plan.verdict)
        }
    }
}
