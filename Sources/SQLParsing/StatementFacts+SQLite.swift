extension StatementFacts {
    /// The facts of a statement of SQLite, from its tokens: SQLite has no parser that could be asked without the schema. What is not
    /// recognised counts as opaque.
    init(sqlite tokens: StatementTokens, text: String) {
        self.init(risk: .additive, phase: .expand, summary: TreeReading.oneLine(text))
        var reader = SQLiteReading(tokens)
        switch tokens[0] {
        case "BEGIN": control = .begin
        case "COMMIT", "END": control = .commit
        case "ROLLBACK": control = [tokens[1], tokens[2]].contains("TO") ? .savepoint : .rollback
        case "SAVEPOINT", "RELEASE": control = .savepoint
        case "CREATE": create(&reader)
        case "DROP": drop(&reader)
        case "ALTER": alter(&reader)
        case "DELETE", "UPDATE", "INSERT", "REPLACE": change(&reader)
        case "WITH":
            // Behind the common tables comes what they are for.
            while !reader.isAtEnd, !["SELECT", "VALUES", "DELETE", "UPDATE", "INSERT", "REPLACE"].contains(reader.word) { reader.skip() }
            if ["DELETE", "UPDATE", "INSERT", "REPLACE"].contains(reader.word) {
                change(&reader)
            } else {
                (phase, probe) = (.backfill, .repeatable)
            }
        case "SELECT", "VALUES", "ANALYZE", "REINDEX", "EXPLAIN": (phase, probe) = (.backfill, .repeatable)
        case "VACUUM": (phase, probe, isNonTransactional) = (.backfill, .repeatable, true)
        case "ATTACH", "DETACH": (phase, isNonTransactional) = (.backfill, true)
        case "PRAGMA": pragma(tokens)
        default: opaque("what it does is not known")
        }
    }

    private mutating func create(_ reader: inout SQLiteReading) {
        reader.next()
        reader.take("TEMP", "TEMPORARY", "VIRTUAL")
        let isUnique = reader.take("UNIQUE")
        let kind = reader.word
        reader.next()
        if reader.take("IF") { reader.next(count: 2) }
        let name = reader.name()
        relations = [name]
        switch kind {
        case "TABLE": probe = .created(.table, name)
        case "VIEW": probe = .created(.view, name)
        case "INDEX":
            probe = .created(.index, name)
            if reader.take("ON") { relations = [reader.name()] }
            risk = .availability
            cautions.append("nobody can write while the index is built")
            if isUnique { phase = .contract }
        case "TRIGGER":
            probe = .created(.trigger, name)
            relations = []
            risk = .availability
            cautions.append("changes what writes to its table do")
        default: opaque("what it does is not known")
        }
    }

    private mutating func drop(_ reader: inout SQLiteReading) {
        reader.next()
        let kind = reader.word
        reader.next()
        if reader.take("IF") { reader.next() }
        let name = reader.name()
        (phase, risk) = (.contract, .availability)
        switch kind {
        case "TABLE":
            probe = .dropped(.table, name)
            lose(.table, name)
        case "VIEW": probe = .dropped(.view, name)
        case "TRIGGER": probe = .dropped(.trigger, name)
        default: probe = .dropped(.index, name)
        }
    }

    private mutating func alter(_ reader: inout SQLiteReading) {
        reader.next(count: 2)
        let table = reader.name()
        relations = [table]
        if reader.take("DROP") {
            reader.take("COLUMN")
            let column = reader.bareName()
            (phase, risk, probe) = (.contract, .availability, .columnDropped(table: table, column: column))
            lose(.column, table, column: column)
        } else if reader.take("RENAME") {
            (phase, risk) = (.contract, .availability)
            cautions.append("what uses the old name fails at once")
            if reader.take("TO") {
                naming = .renamed(ObjectName(table), to: reader.bareName())
            } else {
                reader.take("COLUMN")
                let column = reader.bareName()
                if reader.take("TO") { naming = .column(ObjectName(table), from: column, to: reader.bareName()) }
            }
        } else if reader.take("ADD") {
            reader.take("COLUMN")
            probe = .columnAdded(table: table, column: reader.bareName())
            let rest = reader.restOutsideBrackets
            if rest.contains("NULL"), rest.contains("NOT"), !rest.contains("DEFAULT"), !rest.contains("GENERATED") {
                (phase, risk) = (.contract, .availability)
                cautions.append("NOT NULL without a default fails, and older releases cannot insert any more")
            }
        } else {
            opaque("what it does is not known")
        }
    }

    private mutating func change(_ reader: inout SQLiteReading) {
        phase = .backfill
        let verb = reader.word
        reader.next()
        let replaces = verb == "REPLACE" || (reader.word == "OR" && reader.nextWord == "REPLACE")
        if reader.take("OR") { reader.next() }
        if verb != "UPDATE" { reader.next() }
        let table = reader.name()
        relations = [table]
        let rest = reader.restOutsideBrackets
        switch verb {
        case "DELETE", "UPDATE": lose(rest.contains("WHERE") ? .rows : .table, table)
        default: if replaces || (rest.contains("CONFLICT") && rest.contains("UPDATE")) { lose(.rows, table) }
        }
    }

    private mutating func pragma(_ tokens: StatementTokens) {
        (phase, probe) = (.backfill, .repeatable)
        switch tokens[tokens[2] == "." ? 3 : 1] {
        case "FOREIGN_KEYS": cautions.append("has no effect inside a transaction: write -- pragma: foreign_keys=off instead")
        case "JOURNAL_MODE", "SYNCHRONOUS": isNonTransactional = true
        case "WRITABLE_SCHEMA": opaque("changes to the schema's own table may break the database")
        default: break
        }
    }

    private mutating func opaque(_ caution: String) {
        (phase, probe, risk) = (.backfill, .ambiguous, .rowsAtRisk)
        losses.append(Loss(.opaque, ""))
        cautions.append(caution)
    }

    private mutating func lose(_ kind: Loss.Kind, _ object: String, column: String? = nil) {
        risk = max(risk, kind == .rows ? .rowsAtRisk : .dataLoss)
        losses.append(Loss(kind, object, column: column))
    }
}
