import JSONValues

extension VercelState {
    func listProjects(_ call: VercelCall) throws(VercelFailure) -> VercelAnswer {
        var shown: [JSON] = []
        for project in projects where try isInScope(project, call) {
            if let search = call.query["search"], !project.name.contains(search) { continue }
            shown.append(project.json(plan: plan, withRollbackInfo: false, call.now))
        }
        return VercelAnswer(
            200, ["projects": .array(shown), "pagination": ["count": .integer(shown.count), "next": .null, "prev": .null]])
    }

    func getProject(_ call: VercelCall) throws(VercelFailure) -> VercelAnswer {
        let index = try project(call, byName: true)
        let showsRollback = call.query["rollbackInfo"] == "true"
        return VercelAnswer(200, projects[index].json(plan: plan, withRollbackInfo: showsRollback, call.now))
    }

    mutating func patchProject(_ call: VercelCall) throws(VercelFailure) -> VercelAnswer {
        let index = try project(call, byName: true)
        guard let body = call.body?.object else { throw VercelFailure(400, "bad_request", "Invalid request: should be object.") }
        if let known = body["autoAssignCustomDomains"] {
            guard let value = known.bool else {
                throw VercelFailure(400, "bad_request", "Invalid request: `autoAssignCustomDomains` should be boolean.")
            }
            let who = body["autoAssignCustomDomainsUpdatedBy"]?.string ?? VercelProject.apiUser
            if projects[index].setAutoAssign(value, by: who) {
                projects[index].books.append(
                    VercelProject.Entry(at: call.now, operation: "autoAssign", byHuman: false, isOn: value))
            }
        }
        return VercelAnswer(200, projects[index].json(plan: plan, withRollbackInfo: false, call.now))
    }

    func listDomains(_ call: VercelCall) throws(VercelFailure) -> VercelAnswer {
        let project = projects[try project(call, byName: true)]
        let domains = project.domains.map { domain -> JSON in
            [
                "name": .string(domain.name), "apexName": .string(domain.name.split(separator: ".").suffix(2).joined(separator: ".")),
                "projectId": .string(project.id), "redirect": .optional(domain.redirect), "gitBranch": .null,
                "updatedAt": .milliseconds(project.createdAt), "createdAt": .milliseconds(project.createdAt), "verified": true,
            ]
        }
        return VercelAnswer(
            200, ["domains": .array(domains), "pagination": ["count": .integer(domains.count), "next": .null, "prev": .null]])
    }

    mutating func pause(_ call: VercelCall, _ pauses: Bool) throws(VercelFailure) -> VercelAnswer {
        // An unknown project is a bad request here, not a missing one.
        let index = try project(call, byName: false, missing: 400)
        if projects[index].isPaused != pauses {
            projects[index].books.append(
                VercelProject.Entry(at: call.now, operation: pauses ? "pause" : "unpause", byHuman: false))
        }
        projects[index].isPaused = pauses
        projects[index].setAutoAssign(!pauses, by: VercelProject.apiUser)
        return VercelAnswer(200)
    }
}
