import HTTPCore
import JSONValues

/// The REST door to the ledger. Its refusals are plain text.
extension FlyState {
    private static func refuse(_ status: Int, _ text: String) -> FlyFailure { FlyFailure(FlyAnswer(status, .text(text))) }

    private func ledger(_ name: String) throws(FlyFailure) -> Int {
        guard let index = apps.firstIndex(where: { $0.name == name && $0.access == .own }) else {
            throw Self.refuse(404, "app not found")
        }
        return index
    }

    func listReleases(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let app = apps[try ledger(call["app"])]
        guard let limit = call.query["limit"].map({ Int($0) }) ?? 25, limit > 0 else { throw Self.refuse(400, "invalid limit") }
        return FlyAnswer(["releases": .array(app.releases.reversed().prefix(limit).map(\.json))])
    }

    func currentRelease(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        guard let last = apps[try ledger(call["app"])].releases.last else { throw Self.refuse(404, "no release") }
        return FlyAnswer(last.json)
    }

    func allCurrent() -> FlyAnswer {
        let rows = apps.filter { $0.access == .own }.compactMap { app in
            app.releases.last.map { (key: app.name, value: JSON.string(SimulatedTime.rfc3339($0.createdAt))) }
        }
        return FlyAnswer(.object(JSONObject(rows)))
    }

    /// The version is one above the highest. The image is believed.
    mutating func createRelease(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let body = try call.object("createReleaseRequest")
        guard let name = body["app_name"]?.string, let image = body["image"]?.string else {
            throw Self.refuse(422, "app_name and image are required")
        }
        let index = try ledger(name)
        let release = apps[index].addRelease(image, user: Self.owner, .pending, at: call.now)
        apps[index].updateRelease(release.id) { release in
            release.definition = body["definition"] ?? [:]
            release.strategy = body["strategy"]?.string ?? release.strategy
        }
        apps[index].note("create-release", call.now, release: release.id)
        return FlyAnswer(201, .json(["release": (apps[index].releases.last ?? release).json]))
    }

    mutating func updateRelease(_ call: FlyCall) throws(FlyFailure) -> FlyAnswer {
        let id = call["release"]
        guard let index = apps.firstIndex(where: { $0.access == .own && $0.releases.contains { $0.id == id } }),
            let release = apps[index].releases.first(where: { $0.id == id })
        else { throw Self.refuse(404, "release not found") }
        let body = try call.object("updateReleaseRequest")
        guard !release.isFinished else { throw Self.refuse(422, "the release has already finished") }
        apps[index].updateRelease(id) { release in
            if let status = body["status"]?.string {
                release.oddStatus = FlyRelease.Status(rawValue: status) == nil ? status : nil
                release.status = FlyRelease.Status(rawValue: status) ?? release.status
            }
            if let metadata = body["metadata"] { release.metadata = metadata }
        }
        apps[index].note("update-release", call.now, release: id, subject: body["status"]?.string)
        return FlyAnswer((apps[index].releases.first { $0.id == id } ?? release).json)
    }
}
