import JSONValues

/// Environment variables and secret files: the same operations on two lists.
enum RenderRows: Sendable {
    case variables, files

    /// Of the list's rows.
    var element: String { self == .variables ? "envVar" : "secretFile" }
    var key: String { self == .variables ? "key" : "name" }
    var value: String { self == .variables ? "value" : "content" }
    /// In the books.
    var operation: String { self == .variables ? "env" : "secretFile" }

    func json(_ row: RenderVariable) -> JSON { .members([(key, .string(row.key)), (value, .string(row.value))]) }
}

extension RenderState {
    private subscript(_ rows: RenderRows, _ index: Int) -> [RenderVariable] {
        get { rows == .variables ? services[index].variables : services[index].secretFiles }
        set { if rows == .variables { services[index].variables = newValue } else { services[index].secretFiles = newValue } }
    }

    func listRows(_ rows: RenderRows, _ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        try listRows(rows, try service(call), call)
    }

    private func listRows(_ rows: RenderRows, _ index: Int, _ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        let id = services[index].id
        return try page(self[rows, index].sorted { $0.key < $1.key }, call, rows.element) { row in
            (rows.json(row), "\(id) \(row.key) \(row.version)")
        }
    }

    func getRow(_ rows: RenderRows, _ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        guard let row = self[rows, try service(call)].first(where: { $0.key == call["key"] }) else { throw .notFound(call["key"]) }
        return RenderAnswer(200, rows.json(row))
    }

    /// Replaces every row; `null` empties the list.
    mutating func replaceRows(_ rows: RenderRows, _ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        let index = try service(call)
        let items: [JSON]
        switch call.body {
        case .array(let elements): items = elements
        case .null: items = []
        default: throw .wrong("invalid request body: expected a list")
        }
        self[rows, index] = try read(items, rows)
        services[index].note(
            call.now, "\(rows.operation).replace", [("keys", .array(self[rows, index].map { .string($0.key) }))])
        var answer = call
        answer.query = RequestTarget(url: "/?limit=100")
        return try listRows(rows, index, answer)
    }

    mutating func putRow(_ rows: RenderRows, _ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        let index = try service(call)
        var list = self[rows, index]
        let row = try put(try call.object(), call["key"], rows, &list)
        self[rows, index] = list
        services[index].note(call.now, "\(rows.operation).put", [("key", .string(row.key))])
        return RenderAnswer(rows == .variables ? 200 : 201, rows.json(row))
    }

    mutating func deleteRow(_ rows: RenderRows, _ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        let index = try service(call)
        guard self[rows, index].contains(where: { $0.key == call["key"] }) else { throw .notFound(call["key"]) }
        self[rows, index].removeAll { $0.key == call["key"] }
        services[index].note(call.now, "\(rows.operation).delete", [("key", .string(call["key"]))])
        return RenderAnswer(204)
    }

    // MARK: - Lists of rows

    /// Rows of a body; each with a version of its own.
    mutating func read(_ items: [JSON], _ rows: RenderRows) throws(RenderFailure) -> [RenderVariable] {
        var all: [RenderVariable] = []
        for item in items {
            guard let key = item[rows.key]?.string else { throw .wrong("\(rows.key) is required") }
            _ = try put(item, key, rows, &all)
        }
        return all
    }

    /// Sets one row to what the body says.
    mutating func put(_ body: JSON, _ key: String, _ rows: RenderRows, _ list: inout [RenderVariable]) throws(RenderFailure)
        -> RenderVariable
    {
        guard !key.isEmpty, !key.contains("=") else { throw .wrong("invalid \(rows.key)") }
        made += 1
        let value: String
        switch (body[rows.value], rows == .variables ? body["generateValue"]?.bool : nil) {
        case (.string(let text), nil): value = text
        case (nil, true): value = RenderText.letters("generated \(made)", 44)
        default: throw .wrong(rows == .variables ? "expected either value or generateValue" : "content is required")
        }
        let row = RenderVariable(key: key, value: value, version: made)
        if let place = list.firstIndex(where: { $0.key == key }) { list[place] = row } else { list.append(row) }
        return row
    }
}
