import JSONValues
import Model

/// A service's saved settings as the API tells of them. They are not what runs.
struct RenderService: Sendable {
    var id: String
    var name: String
    var owner: String
    /// `web_service`, `cron_job` …
    var type: String
    var branch: String?
    /// Nil for a service that is built from Git.
    var image: RenderImage?
    var isImageBacked: Bool
    /// `yes` or `no`.
    var autoDeploy: String
    /// `off`, `commit` or `checksPass`; nil when the answer does not tell.
    var autoDeployTrigger: String?
    /// Who suspended it; empty while it is not suspended.
    var suspenders: [String]
    var isInMaintenance: Bool
    var isAutoscaled: Bool
    var dashboard: String?

    /// Nil when it lacks what every service has.
    init?(_ json: JSON?) {
        guard let json, let id = json["id"]?.string, !id.isEmpty, let name = json["name"]?.string else { return nil }
        self.id = id
        self.name = name
        owner = json["ownerId"]?.string ?? ""
        type = json["type"]?.string ?? "service"
        branch = json["branch"]?.string
        let details = json["serviceDetails"]
        image = json["imagePath"]?.string.flatMap(RenderImage.init)
        isImageBacked = image != nil || (details?["runtime"] ?? details?["env"])?.string == "image"
        autoDeploy = json["autoDeploy"]?.string ?? "no"
        autoDeployTrigger = json["autoDeployTrigger"]?.string
        let named = json["suspenders"]?.elements.compactMap(\.string) ?? []
        suspenders = json["suspended"]?.string == "suspended" ? (named.isEmpty ? ["unknown"] : named) : []
        isInMaintenance = details?["maintenanceMode"]?["enabled"]?.bool == true
        isAutoscaled = details?["autoscaling"]?["enabled"]?.bool == true
        dashboard = json["dashboardUrl"]?.string
    }

    var isCron: Bool { type == "cron_job" }
    var isSuspended: Bool { !suspenders.isEmpty }

    /// Where people look at it.
    var page: String { dashboard ?? "https://dashboard.render.com" }

    /// How autodeploy is set, in Render's words.
    var automationValue: String { autoDeployTrigger ?? autoDeploy }

    var automation: Automation {
        let isOn = !isImageBacked && automationValue != "off" && automationValue != "no"
        let place = branch.map { "to \($0)" } ?? "to its branch"
        let summary =
            switch automationValue {
            case _ where isImageBacked: "says \(automationValue), though Render never deploys an image by itself"
            case "off", "no": "deploys nothing by itself"
            case "checksPass": "deploys every push \(place) whose checks pass"
            default: "deploys every push \(place)"
            }
        return Automation(
            name: Self.automationName, summary: summary, isOn: isOn, value: automationValue,
            off: isImageBacked ? nil : autoDeployTrigger == nil ? "no" : "off")
    }

    static let automationName = "autoDeploy"
}
