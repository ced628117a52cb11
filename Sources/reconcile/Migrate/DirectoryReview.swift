import JSONValues
import MigrationFiles
import Model
import Reporting
import SQLParsing
import TextLayout

/// What is wrong with a directory of migrations, and what its scripts would lose.
struct DirectoryReview: Sendable {
    typealias Remark = MigrationFileErrors.Mistake

    let database: String
    let path: String
    private(set) var directory: MigrationDirectory?
    private(set) var errors: [Remark] = []
    private(set) var warnings: [Remark] = []
    /// By migration and direction, in their order.
    private(set) var losses: [(version: String, isUp: Bool, what: [String])] = []

    init(_ database: Database) {
        self.database = database.name
        path = database.migrations.path
        let dialect: SQLDialect = if case .sqlite = database.connection { .sqlite } else { .postgres }
        do throws(MigrationFileErrors) {
            directory = try MigrationDirectory(of: database)
        } catch {
            errors = error.mistakes
        }
        guard let directory else { return }
        for file in directory.migrations {
            review(file.up, of: file, isUp: true, dialect)
            if let down = file.down {
                review(down, of: file, isUp: false, dialect)
            } else if !file.isRepeatable {
                warnings.append(
                    Remark(
                        "NoWayBack", path: file.path,
                        file.isDeclaredIrreversible
                            ? "it says itself that it is irreversible: no pin below it can be reached"
                            : "it has no way back: no pin below it can be reached"
                    ))
            }
        }
        guard database.schema != Database.emptySchema else { return }
        do throws(PinError) { _ = try directory.resolve(database.schema) } catch {
            errors.append(Remark("PinNotFound", "the pin: \(error.message)"))
        }
    }

    private mutating func review(_ script: MigrationScript, of file: MigrationFile, isUp: Bool, _ dialect: SQLDialect) {
        let path = isUp ? file.path : file.downPath ?? file.path
        let facts: ScriptFacts
        do throws(ParseError) {
            facts = try ScriptFacts(script.text, dialect: dialect)
        } catch {
            errors.append(
                Remark("SyntaxError", path: path, line: error.line + script.firstLine - 1, column: error.column, error.message))
            return
        }
        for index in facts.nonTransactional where script.isTransactional != false {
            let statement = facts.statements[index]
            let message = "\(facts.facts[index].summary) cannot run inside a transaction; put it into a migration of its own"
            let remark = Remark(
                "NonTransactionalStatement", path: path, line: statement.line + script.firstLine - 1, column: statement.column,
                "\(message), and mark that as not transactional")
            if script.isTransactional == nil, facts.nonTransactional.count == facts.statements.count {
                warnings.append(remark)
            } else {
                errors.append(remark)
            }
        }
        let what = facts.losses.map(\.words)
        if !what.isEmpty { losses.append((file.stem, isUp, what)) }
    }
}

extension StatementFacts.Loss {
    /// `table orders`, `column orders.note`.
    fileprivate var words: String {
        switch kind {
        case .column: "column \(object).\(column ?? "?")"
        case .rows: "some rows of \(object)"
        case .opaque: "something that cannot be told from the statement"
        default: "\(kind.rawValue) \(object)\(cascades ? " and what depends on it" : "")"
        }
    }
}

extension DirectoryReview {
    /// How many of them are repeatable.
    private var repeatable: String {
        let count = directory?.migrations.count(where: \.isRepeatable) ?? 0
        return count == 0 ? "" : ", \(count) of them repeatable,"
    }

    private var headline: String {
        guard let directory else { return "database \(database): \(path) cannot be read as migrations" }
        let counts = [(errors.count, "error"), (warnings.count, "warning")].map { "\($0) \($1)\($0 == 1 ? "" : "s")" }
        return
            "database \(database): \(directory.migrations.count) migrations\(repeatable) (\(directory.format.rawValue), \(directory.order.rawValue) order): "
            + counts.joined(separator: ", ")
    }

    func text(_ style: TextStyle) -> String {
        var text = "\(errors.isEmpty ? style.green("✔") : style.red("✘")) \(headline)\n"
        for error in errors { text += "\(error.line(under: path).printable)\n" }
        for warning in warnings { text += "\(style.yellow("warning:")) \(warning.line(under: path).printable)\n" }
        for loss in losses {
            text += "\(loss.version.printable) \(loss.isUp ? "up" : "down") loses \(loss.what.joined(separator: ", ").printable)\n"
        }
        return text
    }

    var markdown: String {
        var text = "### \(headline.markdownEscaped)\n\n"
        for error in errors { text += "- \(error.line(under: path).markdownEscaped)\n" }
        for warning in warnings { text += "- warning: \(warning.line(under: path).markdownEscaped)\n" }
        for loss in losses {
            text +=
                "- \(loss.version.markdownEscaped) \(loss.isUp ? "up" : "down") loses \(loss.what.joined(separator: ", ").markdownEscaped)\n"
        }
        return text + "\n"
    }

    var json: JSON {
        func remarks(_ remarks: [Remark]) -> JSON {
            .array(
                remarks.map { remark in
                    [
                        "reason": .string(remark.reason), "path": .string(remark.path), "line": remark.line.map { .integer($0) } ?? .null,
                        "column": remark.column.map { .integer($0) } ?? .null, "message": .string(remark.message),
                    ]
                })
        }
        return [
            "apiVersion": "belay.dev/v1alpha1", "kind": "DirectoryReview", "database": .string(database), "path": .string(path),
            "format": .optional(directory?.format.rawValue), "order": .optional(directory?.order.rawValue),
            "migrations": directory.map { .array($0.migrations.map { .string($0.stem) }) } ?? .null, "errors": remarks(errors),
            "repeatable": .array(directory?.migrations.filter(\.isRepeatable).map { .string($0.stem) } ?? []),
            "warnings": remarks(warnings),
            "losses": .array(
                losses.map {
                    [
                        "version": .string($0.version), "direction": .string($0.isUp ? "up" : "down"),
                        "what": .array($0.what.map(JSON.string)),
                    ]
                }),
        ]
    }
}
