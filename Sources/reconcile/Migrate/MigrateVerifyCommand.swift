import ArgumentParser
import JSONValues
import MigrationFiles
import Model
import Planning
import Reporting

struct MigrateVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Reads the whole directory of migrations and says what is wrong with it, without a database.",
        discussion: """
            Errors: what does not parse, an ambiguous order, transaction control within a script, a
            statement that cannot run inside a transaction without the mark that says so, a pin
            that no file has. Warnings: no way back. What would lose data is listed. Whether the
            ways back really lead back is proved by reconcile drill.

            Exit codes: 0 no errors; 1 there is one.
            """)

    @OptionGroup var options: DatabaseOptions
    @OptionGroup(title: "Output") var output: OutputOptions

    func run() async throws {
        let program = Program()
        throw ExitCode(await program.untilInterrupted { await verify(program) }, program.output)
    }

    private func verify(_ program: Program) async -> Verdict {
        guard let chosen = await ChosenDatabase(options, program, output.form) else { return .failure }
        let review = DirectoryReview(chosen.database)
        switch output.form {
        case .text: program.output.result(review.text(program.output.style))
        case .markdown: program.output.result(review.markdown)
        case .json: program.output.result(review.json)
        }
        return review.errors.isEmpty ? .inSync : .failure
    }
}
