import JSONValues

extension RenderState {
    /// Of the last hour, unless the request says otherwise.
    func listEvents(_ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        let service = services[try service(call)]
        let start = try call.time("startTime") ?? RenderTime(milliseconds: call.now - 3_600_000)
        let end = try call.time("endTime")
        let types = call.repeated("type")?.flatMap { $0.split(separator: ",").map(String.init) }
        let found = service.events.filter { event in
            event.at >= start && end.map { event.at <= $0 } ?? true && types?.contains(event.type) ?? true
        }
        return try page(found.sorted { $0.at > $1.at }, call, "event") { event in
            let json: JSON = [
                "id": .string(event.id), "timestamp": .string(event.at.text), "serviceId": .string(service.id),
                "type": .string(event.type), "details": event.details,
            ]
            return (json, event.id)
        }
    }

    func listMaintenance(_ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        let resources = call.list("resourceId")
        let states = call.repeated("state")
        let isOwn = call.list("ownerId")?.contains(owner) ?? true
        let found = maintenance.filter { run in
            isOwn && resources?.contains(run.resource) ?? true && states?.contains(run.state) ?? true
        }
        return RenderAnswer(200, .array(found.map(\.json)))
    }

    func getMaintenance(_ call: RenderCall) throws(RenderFailure) -> RenderAnswer {
        guard let run = maintenance.first(where: { $0.id == call["run"] }) else { throw .notFound(call["run"]) }
        return RenderAnswer(200, run.json)
    }
}

extension RenderMaintenance {
    var json: JSON {
        [
            "id": .string(id), "type": .string(type), "scheduledAt": .string(scheduledAt.text), "state": .string(state),
            "resourceId": .string(resource),
        ]
    }
}
