import HTTPCore
import JSONValues

/// What a proved body says.
enum WebhookReading: Sendable, Hashable {
    case hint(WebhookHint)
    /// It tells of something else, or of something long ago: why it means nothing.
    case nothing(String)
    case malformed(String)

    /// How old an event may be, in seconds, where its body tells.
    static let oldest: Double = 600

    init(_ sender: WebhookSender, _ headers: HTTPHeaders, _ body: [UInt8], secondsSince1970 now: Double) {
        if let type = headers["Content-Type"]?.lowercased(), type.hasPrefix("application/x-www-form-urlencoded") {
            self = .malformed("the body is a form; choose the content type application/json where the webhook is set up")
            return
        }
        let json: JSON
        do throws(JSONError) {
            json = body.isEmpty && sender == .generic ? [:] : try JSON(parsing: body, depth: 64)
        } catch {
            self = .malformed("the body is \(error)")
            return
        }
        guard json.object != nil else {
            self = .malformed("the body is not an object")
            return
        }
        switch sender {
        case .github: self = Self.push(json, event: headers["X-GitHub-Event"])
        case .gitea: self = Self.push(json, event: headers["X-Forgejo-Event"] ?? headers["X-Gitea-Event"])
        case .gitlab: self = Self.gitLab(json)
        case .generic: self = Self.generic(json, now)
        case .vercel: self = Self.vercel(json, now)
        case .render: self = Self.render(json)
        }
    }

    private static func strings(_ values: JSON?...) -> [String] { values.compactMap { $0?.string }.filter { !$0.isEmpty } }

    /// GitHub, Gitea and Forgejo: https://docs.github.com/webhooks/webhook-events-and-payloads#push
    private static func push(_ json: JSON, event: String?) -> WebhookReading {
        guard ["push", "create"].contains(event) else { return .nothing("events of the kind \(event ?? "(none)") mean nothing here") }
        let repository = json["repository"]
        // The ref of `create` is a short name, and its kind stands beside it.
        let ref = json["ref"]?.string.map { name in
            name.hasPrefix("refs/") ? name : "refs/\(json["ref_type"]?.string == "tag" ? "tags" : "heads")/\(name)"
        }
        return .hint(
            .push(
                PushEvent(
                    repository: strings(
                        repository?["clone_url"], repository?["ssh_url"], repository?["git_url"], repository?["html_url"],
                        repository?["full_name"]), ref: ref, object: object(json["after"]))))
    }

    /// https://docs.gitlab.com/user/project/integrations/webhook_events/#push-events
    private static func gitLab(_ json: JSON) -> WebhookReading {
        guard let kind = json["object_kind"]?.string ?? json["event_name"]?.string, ["push", "tag_push"].contains(kind) else {
            return .nothing("events of the kind \(json["object_kind"]?.string ?? "(none)") mean nothing here")
        }
        let project = json["project"]
        return .hint(
            .push(
                PushEvent(
                    repository: strings(
                        project?["git_http_url"], project?["git_ssh_url"], project?["web_url"], project?["path_with_namespace"]),
                    ref: json["ref"]?.string, object: object(json["after"]))))
    }

    /// Our own: `{"repository": URL, "ref": "refs/heads/main", "after": COMMIT, "systems": [NAME], "time": SECONDS}`, all of it optional.
    private static func generic(_ json: JSON, _ now: Double) -> WebhookReading {
        if let time = json["time"] {
            guard let seconds = time.double else { return .malformed("time is not a number: seconds since 1970") }
            guard abs(now - seconds) <= WebhookProof.window else { return .nothing("time is not within 5 minutes of this clock") }
        }
        if let systems = json["systems"] {
            guard let names = systems.array?.map(\.string), !names.contains(nil) else {
                return .malformed("systems is not a list of names")
            }
            return .hint(.systems(names.compactMap(\.self)))
        }
        for name in ["repository", "ref", "after"] {
            if let value = json[name], value != .null, value.string == nil { return .malformed("\(name) is not a text") }
        }
        return .hint(.push(PushEvent(repository: strings(json["repository"]), ref: json["ref"]?.string, object: object(json["after"]))))
    }

    /// https://vercel.com/docs/webhooks/webhooks-api. Its deliveries are repeated for a day, and what is old says nothing any more.
    private static func vercel(_ json: JSON, _ now: Double) -> WebhookReading {
        guard let type = json["type"]?.string else { return .malformed("type is missing") }
        if let time = json["createdAt"]?.double, now - time / 1000 > oldest { return .nothing("it tells of something over 10 minutes ago") }
        guard type.hasPrefix("deployment.") || type.hasPrefix("project.") else {
            return .nothing("events of the kind \(type) mean nothing here")
        }
        let payload = json["payload"]
        let names = strings(payload?["deployment"]?["name"], payload?["name"], payload?["project"]?["name"])
        let ids = strings(payload?["project"]?["id"], payload?["projectId"])
        guard !names.isEmpty || !ids.isEmpty else { return .nothing("it names no project") }
        return .hint(.target(provider: "vercel", names: ids + names, namesAreComplete: !names.isEmpty))
    }

    /// Contract render.md §9.
    private static func render(_ json: JSON) -> WebhookReading {
        let names = strings(json["data"]?["serviceId"], json["data"]?["serviceName"])
        guard !names.isEmpty else { return .nothing("it names no service") }
        return .hint(.target(provider: "render", names: names, namesAreComplete: json["data"]?["serviceName"]?.string != nil))
    }

    /// Of what was deleted there is none: forty zeros.
    private static func object(_ json: JSON?) -> String? {
        json?.string.flatMap { text in
            text.utf8.count >= 40 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
                && text.contains { $0 != "0" } ? text : nil
        }
    }
}
