import ArgumentParser
import Model
import Planning

struct MigrateUpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Pins the last migration, or the one so many ahead of what is applied.")

    // A number below zero is an answer, and no option.
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many of those that are not applied; all of them when it is left out.", valueName: "number"))
    var count: Int?

    @OptionGroup var move: MoveOptions

    func validate() throws { try MoveOptions.validate(count: count, "To apply all of them, leave --count out.") }

    func run() async throws { throw await move.run(.up(count)) }
}

struct MigrateDownCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down",
        abstract: "Pins the migration so many before the last applied one.",
        discussion: """
            Counted among the applied ones, in their order. When as many are taken back as are
            applied, the pin is none, the empty schema.
            """)

    @Option(parsing: .unconditional, help: ArgumentHelp("How many are to be taken back, from 1 to what is applied.", valueName: "number"))
    var count = 1

    @OptionGroup var move: MoveOptions

    func validate() throws { try MoveOptions.validate(count: count, "To take all of them back: migrate to none.") }

    func run() async throws { throw await move.run(.down(count)) }
}

struct MigrateToCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "to", abstract: "Pins a migration.",
        discussion: "VERSION is the name of its file without extension, a number that only it has, or none.")

    @Argument(help: "The migration that is to be the last one applied.")
    var version: String

    @OptionGroup var move: MoveOptions

    func run() async throws { throw await move.run(.to(version)) }
}
