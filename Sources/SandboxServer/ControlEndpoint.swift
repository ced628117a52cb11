import HTTPCore
import JSONValues
import Simulators

/// `/_sandbox/…`, the sandbox's own paths on every listener. They ask for no credentials: listeners are on loopback only.
struct ControlEndpoint: Sendable {
    static let prefix = "/_sandbox"

    let simulators: [any Simulator]
    let faults: FaultRules
    let requests: RequestLog
    let clock: any SimulatedClock

    func answer(_ request: HTTPRequest) async -> HTTPResponse {
        let target = RequestTarget(url: request.url)
        switch (request.method, target.path.dropFirst().joined(separator: "/")) {
        case (.get, "requests"):
            let recorded = requests.requests.filter { target["simulator"] == nil || target["simulator"] == $0.simulator }
            return json(200, ["requests": .array(recorded.map(\.json))])
        case (.delete, "requests"):
            requests.clear()
            return HTTPResponse(status: 204)
        case (.get, "world"): return json(200, await world())
        case (.post, "faults"):
            do throws(SandboxError) {
                let added = try FaultsFile(reading: request.body, file: "request")
                added.faults.forEach(faults.add)
                return json(201, ["added": .integer(added.faults.count)])
            } catch {
                return json(400, ["errors": .array(error.message.split(separator: "\n").map { .string(String($0)) })])
            }
        case (.delete, "faults"):
            faults.removeAll()
            return HTTPResponse(status: 204)
        default:
            let known = "GET and DELETE /_sandbox/requests, GET /_sandbox/world, POST and DELETE /_sandbox/faults"
            let message = "no \(request.method.rawValue) /\(target.path.joined(separator: "/")); there are \(known)"
            return json(404, ["errors": [.string(message)]])
        }
    }

    /// What every vendor holds now, in its own words, under the names of a world file.
    private func world() async -> JSON {
        var world: JSON = ["apiVersion": .string(SandboxDocument.apiVersion), "kind": "World"]
        for simulator in simulators { world[simulator.name] = await simulator.world }
        return world
    }

    private func json(_ status: Int, _ body: JSON) -> HTTPResponse {
        HTTPResponse(
            status: status, headers: ["Content-Type": "application/json; charset=utf-8"], body: Array((body.pretty + "\n").utf8))
    }
}
