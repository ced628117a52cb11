import HTTPCore
public import JSONValues
import Synchronization

extension VercelRoute {
    /// Under the name of 2025, which official clients still use, and under that of 2026.
    static let edgeConfigs: [VercelRoute] = ["edge-config", "global-config"].flatMap { name in
        [
            VercelRoute(.get, "/v1/\(name)/:edgeConfig", "edge-config.get") { state, call throws(VercelFailure) in
                VercelAnswer(200, state.edgeConfigs[try state.edgeConfig(call)].json)
            },
            VercelRoute(.get, "/v1/\(name)/:edgeConfig/items", "edge-config.items") { state, call throws(VercelFailure) in
                let config = state.edgeConfigs[try state.edgeConfig(call)]
                return VercelAnswer(200, .array(config.items.map(config.json(of:))))
            },
            VercelRoute(.get, "/v1/\(name)/:edgeConfig/item/:key", "edge-config.items") { state, call throws(VercelFailure) in
                try state.getEdgeConfigItem(call)
            },
            VercelRoute(.patch, "/v1/\(name)/:edgeConfig/items", "edge-config.write") { state, call throws(VercelFailure) in
                try state.patchEdgeConfigItems(call)
            },
        ]
    }
}

extension VercelState {
    fileprivate func isInScope(_ config: VercelEdgeConfig, _ call: VercelCall) throws(VercelFailure) -> Bool {
        let teams = edgeConfigs.compactMap(\.team) + projects.compactMap(\.team)
        let asked: String?
        if let id = call.query["teamId"] {
            asked = teams.first { "team_\($0)" == id }
            guard asked != nil else { throw VercelFailure(403, "forbidden", "Not authorized") }
        } else if let slug = call.query["slug"] {
            asked = slug
            guard teams.contains(slug) else { throw VercelFailure(403, "forbidden", "Not authorized") }
        } else {
            asked = nil
        }
        return config.team == asked
    }

    fileprivate func edgeConfig(_ call: VercelCall) throws(VercelFailure) -> Int {
        guard call["edgeConfig"].hasPrefix("ecfg_") else {
            throw VercelFailure(400, "bad_request", "Invalid request: `edgeConfigId` should match pattern \"^ecfg_\".")
        }
        for index in edgeConfigs.indices where edgeConfigs[index].id == call["edgeConfig"] {
            if try isInScope(edgeConfigs[index], call) { return index }
        }
        throw VercelFailure(404, "not_found", "Edge Config not found.")
    }

    fileprivate func getEdgeConfigItem(_ call: VercelCall) throws(VercelFailure) -> VercelAnswer {
        let config = edgeConfigs[try edgeConfig(call)]
        if let item = config.items.first(where: { $0.key == call["key"] }) { return VercelAnswer(200, config.json(of: item)) }
        guard config.missing == 204 else { throw VercelFailure(404, "not_found", "Edge Config Item not found.") }
        return VercelAnswer(204)
    }

    /// All operations or none.
    fileprivate mutating func patchEdgeConfigItems(_ call: VercelCall) throws(VercelFailure) -> VercelAnswer {
        let index = try edgeConfig(call)
        guard let body = call.body?.object, let operations = body["items"]?.array else {
            throw VercelFailure(400, "bad_request", "Invalid request: missing required property `items`.")
        }
        if let unknown = body.keys.first(where: { $0 != "items" }) {
            throw VercelFailure(400, "bad_request", "Invalid request: should NOT have additional property `\(unknown)`.")
        }
        var config = edgeConfigs[index]
        for operation in operations { try config.carryOut(operation, call.now) }
        if !operations.isEmpty {
            config.updatedAt = call.now
            config.writes += 1
        }
        edgeConfigs[index] = config
        return VercelAnswer(200, ["status": "ok"])
    }
}

extension VercelEdgeConfig {
    fileprivate mutating func carryOut(_ operation: JSON, _ now: Int64) throws(VercelFailure) {
        guard let key = operation["key"]?.string, Self.isKey(key) else {
            throw VercelFailure(400, "bad_request", "Invalid request: `key` should match pattern \"^[\\w-]+$\".")
        }
        let position = items.firstIndex { $0.key == key }
        // `value` may be null, which is not the same as none.
        let value = operation.object?["value"]
        let description = operation["description"]?.string
        switch operation["operation"]?.string {
        case "delete":
            guard let position else { throw VercelFailure(404, "not_found", "Edge Config Item \(key) not found.") }
            items.remove(at: position)
        case let kind? where ["create", "update", "upsert"].contains(kind):
            guard value != nil || (description != nil && kind != "create") else {
                throw VercelFailure(400, "bad_request", "Invalid request: `items` should have required property `value`.")
            }
            if let position {
                guard kind != "create" else { throw VercelFailure(409, "conflict", "Edge Config Item \(key) already exists.") }
                items[position].value = value ?? items[position].value
                items[position].description = description ?? items[position].description
                items[position].updatedAt = now
            } else {
                guard kind != "update" else { throw VercelFailure(404, "not_found", "Edge Config Item \(key) not found.") }
                items.append(Item(key: key, value: value ?? .null, description: description, createdAt: now, updatedAt: now))
            }
        default:
            throw VercelFailure(
                400, "bad_request",
                "Invalid request: `operation` should be equal to one of the allowed values \"create, update, upsert, delete\".")
        }
    }
}

extension VercelSimulator {
    /// What a person does in the dashboard: sets an item, or takes it away.
    public func editEdgeConfig(_ id: String, item key: String, to value: JSON?) {
        let now = clock.milliseconds
        state.withLock { state in
            guard let index = state.edgeConfigs.firstIndex(where: { $0.id == id }) else { return }
            let position = state.edgeConfigs[index].items.firstIndex { $0.key == key }
            switch (position, value) {
            case (let position?, let value?):
                state.edgeConfigs[index].items[position].value = value
                state.edgeConfigs[index].items[position].updatedAt = now
            case (let position?, nil): state.edgeConfigs[index].items.remove(at: position)
            case (nil, let value?):
                state.edgeConfigs[index].items.append(
                    VercelEdgeConfig.Item(key: key, value: value, createdAt: now, updatedAt: now))
            case (nil, nil): return
            }
            state.edgeConfigs[index].updatedAt = now
        }
    }
}
