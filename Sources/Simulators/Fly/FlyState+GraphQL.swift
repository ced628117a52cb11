import JSONValues

/// The GraphQL door: reading one app. Failures are answers like any other, with status 200.
extension FlyState {
    /// A failure of a query, as it stands among `errors`.
    private struct Problem: Error {
        var message: String
        var code: String
    }

    func query(_ call: FlyCall) -> FlyAnswer {
        let errors: JSON
        do {
            return FlyAnswer(["data": try data(call)])
        } catch let problem as Problem {
            errors = [["message": .string(problem.message), "extensions": ["code": .string(problem.code)]]]
        } catch {
            errors = [["message": "Problems parsing JSON", "extensions": ["code": "BAD_REQUEST"]]]
        }
        return FlyAnswer(["data": ["app": .null], "errors": errors])
    }

    private func data(_ call: FlyCall) throws -> JSON {
        let body = try call.object("query")
        guard let query = FlyQuery(body["query"]?.string ?? "", variables: body["variables"] ?? [:]) else {
            throw Problem(message: "Parse error", code: "parseError")
        }
        guard !query.isMutation else { throw Problem(message: "the sandbox answers no mutations", code: "undefinedField") }
        var data: JSON = [:]
        for field in query.fields {
            guard field.name == "app" else {
                throw Problem(message: "Field '\(field.name)' doesn't exist on type 'Queries'", code: "undefinedField")
            }
            guard let app = apps.first(where: { $0.name == field.arguments["name"]?.string && $0.access == .own }) else {
                throw Problem(message: "Could not find App", code: "NOT_FOUND")
            }
            data[field.alias] = try project(app.object(for: field.selection), "App", field.selection)
        }
        return data
    }

    private func project(_ value: JSON, _ type: String, _ selection: [FlyQuery.Field]) throws -> JSON {
        switch value {
        case .array(let elements): return .array(try elements.map { try project($0, type, selection) })
        case .object(let object):
            guard !selection.isEmpty else { return value }
            var projected = JSONObject()
            for field in selection {
                // Two selections of one field may have arguments of their own: those stand under their alias.
                guard let member = object["\(field.alias): \(field.name)"] ?? object[field.name] else {
                    throw Problem(message: "Field '\(field.name)' doesn't exist on type '\(type)'", code: "undefinedField")
                }
                projected[field.alias] = try project(member, field.name, field.selection)
            }
            return .object(projected)
        case .null, .bool, .number, .string: return value
        }
    }
}

extension FlyApp {
    /// All that can be asked about it; a list of releases stands under the alias that it was asked by.
    fileprivate func object(for selection: [FlyQuery.Field]) -> JSON {
        var object: JSON = [
            "id": .string(name), "internalNumericId": .integer(number), "name": .string(name), "hostname": .string("\(name).fly.dev"),
            "deployed": .bool(!releases.isEmpty), "status": machines.contains { $0.state == "started" } ? "deployed" : "suspended",
            "appUrl": .string("https://\(name).fly.dev"), "platformVersion": "machines", "state": "DEPLOYED",
            "organization": ["id": .string("org_\(organization)"), "slug": .string(organization), "name": .string(organization)],
            "secrets": .array(
                secrets.all.map {
                    ["name": .string($0.name), "digest": .string($0.digest), "createdAt": .string(SimulatedTime.rfc3339($0.createdAt))]
                }),
        ]
        // Setting through the subscript would leave a null out of what can be read.
        guard var members = object.object else { return object }
        members["currentLock"] = .null
        members["currentReleaseUnprocessed"] = releases.last?.node ?? .null
        members["currentRelease"] = releases.last?.node ?? .null
        for field in selection where field.name == "releasesUnprocessed" || field.name == "releases" {
            members["\(field.alias): \(field.name)"] = connection(field.arguments)
        }
        object = .object(members)
        return object
    }

    private func connection(_ arguments: [String: JSON]) -> JSON {
        let status = arguments["status"]?.string
        let all = releases.reversed().filter { status == nil || $0.shownStatus == status }
        let after = arguments["after"]?.string.flatMap { Int($0) } ?? 0
        let rest = all.dropFirst(min(max(0, after), all.count))
        let page = rest.prefix(max(0, arguments["first"]?.integer ?? 25))
        let end = all.count - rest.count + page.count
        return [
            "nodes": .array(page.map(\.node)), "totalCount": .integer(all.count),
            "pageInfo": ["hasNextPage": .bool(page.count < rest.count), "endCursor": .string(String(end))],
        ]
    }
}
