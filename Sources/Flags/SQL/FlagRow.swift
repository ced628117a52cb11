import Model

/// One row of a table of flags.
struct FlagRow: Sendable {
    var name: String
    var status: String?
    var rollout: String?
    var tenant: String?
    private var version: String

    /// A row of ``FlagTable/select(_:isLocking:)``.
    init?(_ row: [String?]) {
        guard row.count == 6, let name = row[0] else { return nil }
        self.name = name
        status = row[1]
        rollout = row[2]
        tenant = row[3]
        version = digest(row.map { $0.map { "\($0.utf8.count):\($0)" } ?? "-" }.joined(separator: ","))
    }

    /// What the rows of one flag come to: the row without a tenant is the flag.
    static func observation(of name: String, _ rows: [FlagRow], isUniqueByNameAlone: Bool, place: String) -> FlagObservation {
        let own = rows.filter { $0.name == name }
        let global = own.filter { $0.tenant == nil }
        let tenants = own.count - global.count
        var observation = FlagObservation()
        if tenants > 0 {
            observation.notes.append(
                tenants == 1
                    ? "1 tenant has a row of its own for \(name), which is left alone"
                    : "\(tenants) tenants have rows of their own for \(name), which are left alone")
        }
        guard let row = global.first else {
            if tenants > 0, isUniqueByNameAlone {
                observation.problem = Problem(
                    "TenantRow", "\(place): the only row of \(name) belongs to a tenant, and the table allows one row a name",
                    next: "make the table unique by flag_name and tenant_id, or take the tenant's row away: Belay does not touch it")
            }
            return observation
        }
        guard global.count == 1 else {
            observation.problem = Problem(
                "DuplicateRow", "\(place): \(name) has \(global.count) rows without a tenant", next: "remove all but one")
            return observation
        }
        observation.marker = row.version
        switch row.status {
        case "enabled": observation.setting = FlagSetting(isOn: true)
        case "disabled": observation.setting = .off
        case "gradual_rollout":
            guard let percent = row.rollout.map({ Int($0) }) ?? 0, (0...100).contains(percent) else {
                observation.problem = Problem(
                    "FlagUnclear", "\(place): \(name) is rolled out to \(row.rollout ?? "") %", next: "correct rollout_percentage there")
                return observation
            }
            observation.setting = FlagSetting(isOn: true, rollout: percent)
        default:
            observation.problem = Problem(
                "FlagUnclear",
                "\(place): \(name) has the status \(row.status.map { "\"\($0.prefix(50))\"" } ?? "NULL"), and not enabled, disabled or gradual_rollout",
                next: "correct it there; nothing is written before")
        }
        return observation
    }
}

extension FlagSetting {
    /// As the table holds it. The percentage says the same to an application that looks at nothing else.
    var columns: (status: String, rollout: Int) {
        guard isOn else { return ("disabled", 0) }
        return rollout.map { ("gradual_rollout", $0) } ?? ("enabled", 100)
    }
}
