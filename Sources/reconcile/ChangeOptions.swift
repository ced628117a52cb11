import ArgumentParser

/// What becomes of a change of a spec file.
struct ChangeOptions: ParsableArguments {
    @Flag(help: "Print what would be changed in the file, and change nothing.")
    var dryRun = false

    @Flag(help: "Commit the changed file, alone; refused when it or the index holds other changes.")
    var commit = false

    @Flag(help: "Push the commit; refused when the remote moved. Never forced. Needs --commit.")
    var push = false

    @Option(help: ArgumentHelp("Why; stands in the commit's message.", valueName: "text"))
    var reason: String?

    func validate() throws {
        if push, !commit { throw ValidationError("--push publishes a commit: say --commit too.") }
        if dryRun, commit { throw ValidationError("--dry-run changes nothing, so that there is nothing to commit.") }
        if let reason, reason.allSatisfy(\.isWhitespace) { throw ValidationError("--reason is empty.") }
    }
}
