import Crypto
import Model

extension Approval {
    /// The smallest of these that the rows fit under is what an approval allows, so that a table that grows a little needs no new one.
    static let ceilings = [0] + (1...15).map { power in (0..<power).reduce(1) { product, _ in product * 10 } }

    static func digest(of items: [Item], rows: Int?) -> String {
        var text = "belay approval 1\n"
        for item in items {
            text += "\(item.database)\n\(item.version)\n\(item.isUp ? "up" : "down")\n\(item.hash)\n\(item.occasion)\n"
        }
        text += rows.map(String.init) ?? "uncounted"
        let hexadecimal = Array("0123456789abcdef")
        return String(SHA256.hash(data: Array(text.utf8)).prefix(6).flatMap { [hexadecimal[Int($0 >> 4)], hexadecimal[Int($0 & 15)]] })
    }
}

extension Draft {
    /// What the schemas would lose on their ways, and for what nobody has answered yet; nil when nothing would be lost.
    func approval() -> (needed: Approval, given: Approval?)? {
        var items: [Approval.Item] = []
        var rows: Int? = 0
        for move in writtenMoves {
            let scripts =
                move.downs.map { ($0.version, false, $0.downScript) }
                + (move.preludes + move.expands + move.contracts).map { ($0.version, true, $0.upScript) }
            for case (let version, let isUp, let script?) in scripts where script.isDestructive {
                items.append(
                    Approval.Item(
                        database: move.database.name, version: version, isUp: isUp, hash: script.hash, occasion: script.occasion))
                rows = rows.flatMap { sum in script.rowsAtRisk.map { sum + $0 } }
            }
        }
        guard !items.isEmpty else { return nil }
        let ceiling = rows.map { rows in Approval.ceilings.first { $0 >= rows } ?? .max }
        let needed = Approval(items: items, rows: ceiling, digest: Approval.digest(of: items, rows: ceiling))
        return (needed, given(items, rows))
    }

    private func given(_ items: [Approval.Item], _ rows: Int?) -> Approval? {
        // What an open transition was approved for holds for what remains of it.
        if let approved = continued?.approved, items.allSatisfy(approved.items.contains),
            approved.rows == nil || rows.map({ $0 <= approved.rows ?? .max }) == true
        {
            return approved
        }
        let digests = Set(survey.system.approvals)
        let ceilings: [Int?] = rows.map { rows in Approval.ceilings.filter { $0 >= rows } } ?? []
        for ceiling in ceilings + [nil] {
            let digest = Approval.digest(of: items, rows: ceiling)
            if digests.contains(digest) { return Approval(items: items, rows: ceiling, digest: digest) }
        }
        return nil
    }
}

extension Problem {
    static func approvalNeeded(_ approval: Approval, system: SystemID) -> Problem {
        let names = approval.items.map { "\($0.database) \($0.version) \($0.isUp ? "up" : "down")" }.joined(separator: ", ")
        let rows = approval.rows.map { $0 == 0 ? "no rows" : "at most \($0) rows" } ?? "an unknown number of rows"
        return Problem(
            "ApprovalNeeded", "\(system): data would be lost (\(rows)): \(names); nothing was begun",
            next: "check the plan, then commit approve: [\(approval.digest)] with the pins, or add --approve \(approval.digest)")
    }
}
