import JSONValues

/// A simulated Edge Config: a few items that are read at Vercel's edge and written through the API.
struct VercelEdgeConfig: Sendable {
    struct Item: Sendable {
        var key: String
        var value: JSON
        var description: String?
        var createdAt: Int64
        var updatedAt: Int64
    }

    var id: String
    var slug: String
    var team: String?
    var items: [Item]
    /// What a read of an item that is not there is answered with.
    var missing: Int
    var createdAt: Int64
    var updatedAt: Int64
    /// Requests that changed something.
    var writes = 0

    var values: JSON { .object(JSONObject(items.map { ($0.key, $0.value) })) }

    /// As the world shows it.
    var summary: JSON {
        ["id": .string(id), "team": .optional(team), "items": values, "writes": .integer(writes)]
    }

    var json: JSON {
        let bytes = values.bytes
        // FNV-1a, twice: it need only change with the items.
        let digest = [UInt64(0xcbf2_9ce4_8422_2325), 0x9E37_79B9_7F4A_7C15].map { seed in
            let hash = bytes.reduce(seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
            return String(repeating: "0", count: 16 - String(hash, radix: 16).count) + String(hash, radix: 16)
        }.joined()
        return [
            "id": .string(id), "slug": .string(slug), "ownerId": .string(team.map { "team_\($0)" } ?? "user_personal"),
            "createdAt": .milliseconds(createdAt), "updatedAt": .milliseconds(updatedAt), "digest": .string(digest),
            "sizeInBytes": .integer(bytes.count), "itemCount": .integer(items.count),
        ]
    }

    func json(of item: Item) -> JSON {
        var shown: JSON = [
            "key": .string(item.key), "value": item.value, "edgeConfigId": .string(id), "createdAt": .milliseconds(item.createdAt),
            "updatedAt": .milliseconds(item.updatedAt),
        ]
        if let description = item.description { shown["description"] = .string(description) }
        return shown
    }

    /// `^[\w-]+$`, at most 256.
    static func isKey(_ text: String) -> Bool {
        (1...256).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F || byte == 0x2D
            }
    }

    // MARK: - Reading a world

    static func read(_ world: WorldReader, _ now: Int64) throws(WorldError) -> [VercelEdgeConfig] {
        var found: [VercelEdgeConfig] = []
        for place in try world.elements("edgeConfigs") {
            try place.mapping(["id", "team", "slug", "items", "missing"])
            let id = try place.required("id", "the Edge Config's id")
            guard id.hasPrefix("ecfg_") else { throw WorldError("\(place.path).id", "expected an id that begins with ecfg_, found \(id)") }
            guard !found.contains(where: { $0.id == id }) else {
                throw WorldError("\(place.path).id", "expected an id that no other Edge Config has, found \(id)")
            }
            let missing = Int(try place.number("missing") ?? 204)
            guard [204, 404].contains(missing) else { throw WorldError("\(place.path).missing", "expected 204 or 404") }
            var items: [Item] = []
            if let written = place["items"] {
                guard let object = written.value.object else { throw WorldError(written.path, "expected a mapping from keys to values") }
                for (key, value) in object.members {
                    guard isKey(key) else { throw WorldError(written.path, "expected keys of letters, digits, - and _, found \(key)") }
                    items.append(Item(key: key, value: value, createdAt: now, updatedAt: now))
                }
            }
            found.append(
                VercelEdgeConfig(
                    id: id, slug: try place.text("slug") ?? "store", team: try place.text("team"), items: items, missing: missing,
                    createdAt: now, updatedAt: now))
        }
        return found
    }
}
