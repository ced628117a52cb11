/// What a statement does to the names in the statements behind it.
enum NameChange: Sendable, Hashable {
    case renamed(ObjectName, to: String)
    case moved(ObjectName, schema: String)
    case column(ObjectName, from: String, to: String)
    case schema(String, to: String)
    /// Where names without a schema are looked for; nil for where they were at first.
    case path([String]?)
    /// A path that is not written out, or names the role's own schema.
    case unknownPath
    /// Another role has other rights, and another schema of its own.
    case role
    case ownRole
    /// Rights are given or taken, or an owner changes.
    case rights
    /// Objects get names that the statement does not tell.
    case unknown
}

extension NameChange {
    /// True if the path decides on what it acts.
    fileprivate var isLookedFor: Bool {
        switch self {
        case .renamed(let name, _), .moved(let name, _), .column(let name, _, _): name.schema == nil
        default: false
        }
    }
}

/// How names in a script lead back to what is there before it runs.
struct NameHistory {
    /// Where an object may be found before the script runs.
    struct Origin: Hashable {
        /// Every one that it may be.
        var names: [ObjectName]
        var column: String?
        /// False where a statement changed names in a way that cannot be followed.
        var isCertain: Bool
    }

    private let ignoresCase: Bool
    private var changes: [NameChange] = []
    private var path: [String]?
    private var isPathKnown = true
    private var isOwnRole = true
    private var areRightsKnown = true
    private var isKnown = true

    init(_ dialect: SQLDialect) { ignoresCase = dialect == .sqlite }

    mutating func add(_ change: NameChange) {
        switch change {
        case .renamed, .moved, .column, .schema: changes.append(change)
        case .path(let schemas):
            (path, isPathKnown) = (schemas, true)
            // A name that was looked for elsewhere cannot be told from one that is looked for here.
            if changes.contains(where: \.isLookedFor) { isKnown = false }
        case .unknownPath: isPathKnown = false
        case .role: isOwnRole = false
        case .ownRole: isOwnRole = true
        case .rights: areRightsKnown = false
        case .unknown: isKnown = false
        }
    }

    /// Nil while no statement has changed what names mean.
    /// - Parameter isPlaced: false for what is no part of a schema, as a schema itself.
    func origin(of object: String, column: String? = nil, isPlaced: Bool = true) -> Origin? {
        guard !changes.isEmpty || path != nil || !isPathKnown || !isOwnRole || !isKnown else { return nil }
        var name = ObjectName(object)
        var column = column
        let isQualified = name.schema != nil || !isPlaced
        for change in changes.reversed() {
            switch change {
            case .renamed(let old, let new) where same(name.last, new) && sameSchema(name, old):
                name = ObjectName(parts: ((name.schema ?? old.schema).map { [$0] } ?? []) + [old.last])
            case .moved(let old, let schema) where same(name.last, old.last) && name.schema.map { same($0, schema) } ?? true: name = old
            case .schema(let old, let new):
                if !isPlaced, same(name.last, new) { name = ObjectName(parts: [old]) }
                if let schema = name.schema, same(schema, new) { name = ObjectName(parts: [old, name.last]) }
            case .column(let table, let old, let new) where same(name.last, table.last) && sameSchema(name, table):
                if let current = column, same(current, new) { column = old }
            default: break
            }
        }
        let isCertain = isKnown && (isQualified || (isPathKnown && (isOwnRole || path != nil)))
        var names = [name]
        // A path that is set for a transaction alone has no effect where there is none: then it is found as it was before.
        if isPlaced, name.schema == nil, let path { names = path.map { ObjectName(parts: [$0, name.last]) } + [name] }
        return Origin(names: names, column: column, isCertain: isCertain)
    }

    func followed(_ loss: StatementFacts.Loss) -> StatementFacts.Loss {
        let isPlaced = ![.schema, .database, .extension].contains(loss.kind)
        guard loss.kind != .opaque, let origin = origin(of: loss.object, column: loss.column, isPlaced: isPlaced) else { return loss }
        var loss = loss
        if origin.names != [ObjectName(loss.object)] || origin.column != loss.column { loss.origins = origin.names.map(\.text) }
        if origin.column != loss.column { loss.originColumn = origin.column }
        loss.isUncertain = !origin.isCertain
        return loss
    }

    /// Nil where it cannot be told on what, or by whom, the right is needed.
    func followed(_ right: NeededRight) -> NeededRight? {
        guard isOwnRole, areRightsKnown else { return nil }
        guard let origin = origin(of: right.relation) else { return right }
        // Of several schemas the first that has it counts, and that may be one that the script makes.
        guard origin.isCertain, origin.names.count == 1 || path?.count == 1, let name = origin.names.first else { return nil }
        return NeededRight(right.kind, name.text)
    }

    private func same(_ left: String, _ right: String) -> Bool {
        ignoresCase ? left.lowercased() == right.lowercased() : left == right
    }

    private func sameSchema(_ left: ObjectName, _ right: ObjectName) -> Bool {
        guard let one = left.schema, let other = right.schema else { return true }
        return same(one, other)
    }
}
