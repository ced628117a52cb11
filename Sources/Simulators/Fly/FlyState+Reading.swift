import JSONValues

extension FlyState {
    private enum ReleaseImage: String, CaseIterable { case runs, crashes, unhealthy, unpullable, pruned }

    /// See ``FlySimulator/init(world:clock:token:)`` for the form.
    init(_ world: JSON, now: Int64) throws(WorldError) {
        let reader = WorldReader(world, "fly")
        try reader.mapping(["rateLimits", "retryAfter", "staleVersion", "apps"])
        limitsRates = try reader.flag("rateLimits") ?? true
        retryAfter = try reader.number("retryAfter").map { Int($0) }
        staleStatus = Int(try reader.number("staleVersion") ?? 412)
        guard [409, 412].contains(staleStatus) else { throw WorldError("fly.staleVersion", "expected 409 or 412") }
        for place in try reader.elements("apps") {
            let app = try Self.app(place, number: apps.count + 1, now)
            guard !apps.contains(where: { $0.name == app.name }) else {
                throw WorldError("\(place.path).name", "expected a name that no other app has, found \(app.name)")
            }
            apps.append(app)
        }
    }

    private static func app(_ place: WorldReader, number: Int, _ now: Int64) throws(WorldError) -> FlyApp {
        try place.mapping([
            "name", "org", "access", "region", "machines", "groups", "env", "autostop", "checks", "secrets", "live", "releases", "images",
            "seconds", "updateUncordons",
        ])
        let name = try place.required("name", "the app's name")
        var app = FlyApp(
            name: name, organization: try place.text("org") ?? "personal", number: number, region: try place.text("region") ?? "fra",
            identifiers: FlyIdentifiers(seed: name), createdAt: now - 90 * 86_400_000)
        app.access = try place["access"]?.word(FlyApp.Access.self) ?? .own
        app.updateUncordons = try place.flag("updateUncordons") ?? false
        app.timing = try timing(place["seconds"])
        if let secrets = place["secrets"] {
            guard let members = secrets.value.object?.members else { throw WorldError(secrets.path, "expected a mapping") }
            app.secrets.change(members.map { ($0.key, $0.value.string ?? $0.value.description) }, at: app.createdAt)
        }
        let releases = try place.elements("releases")
        for (position, item) in releases.enumerated() { try release(item, &app, age: releases.count - position, now) }
        for item in try place.elements("images") {
            try item.mapping(["tag", "digest", "index", "image"])
            try image(item, tag: try item.required("tag", "the image's tag"), &app)
        }
        try machines(place, &app, now)
        return app
    }

    private static func timing(_ place: WorldReader?) throws(WorldError) -> FlyApp.Timing {
        var timing = FlyApp.Timing()
        guard let place else { return timing }
        try place.mapping(["replace", "start", "stop", "healthy", "forget", "secrets"])
        func read(_ name: String, _ value: inout Int64) throws(WorldError) {
            if let seconds = try place.number(name) { value = Int64(max(0, seconds) * 1000) }
        }
        try read("replace", &timing.replace)
        try read("start", &timing.start)
        try read("stop", &timing.stop)
        try read("healthy", &timing.healthy)
        try read("forget", &timing.forget)
        try read("secrets", &timing.secrets)
        return timing
    }

    private static func release(_ place: WorldReader, _ app: inout FlyApp, age: Int, _ now: Int64) throws(WorldError) {
        try place.mapping([
            "version", "tag", "digest", "index", "image", "status", "minutesAgo", "user", "description", "strategy",
        ])
        let version = try place.number("version").map { Int($0) } ?? app.nextVersion
        guard version >= app.nextVersion else {
            throw WorldError("\(place.path).version", "expected a version above that of the release before, found \(version)")
        }
        let tag = try place.text("tag") ?? "deployment-\(version)"
        let minutes = try place.number("minutesAgo") ?? Double(age * 10)
        var release = FlyRelease(
            id: app.identifiers.release(), version: version, status: try place["status"]?.word(FlyRelease.Status.self) ?? .complete,
            image: "\(app.repository):\(tag)", user: try place.text("user") ?? "ada@example.com",
            description: try place.text("description") ?? "Deploy image", createdAt: now - Int64(minutes * 60_000))
        release.strategy = try place.text("strategy") ?? release.strategy
        app.releases.append(release)
        try image(place, tag: tag, &app)
    }

    /// What the registry holds under a tag. Two releases may have one image.
    private static func image(_ place: WorldReader, tag: String, _ app: inout FlyApp) throws(WorldError) {
        let given = try place.text("digest")
        let fate = try place["image"]?.word(ReleaseImage.self)
        if let known = app.images.firstIndex(where: { $0.tag == tag }) {
            guard let given, given != app.images[known].digest else { return }
            // The tag has moved since.
            app.images[known].tag = nil
        }
        let digest = given ?? FlyIdentifiers.digest("\(app.name):\(tag)")
        guard digest.hasPrefix("sha256:") else {
            throw WorldError("\(place.path).digest", "expected a digest that begins with sha256:, found \(digest)")
        }
        var image = FlyImage(tag: tag, digest: digest)
        if try place.flag("index") == true { image.index = FlyIdentifiers.digest("index of \(digest)") }
        switch fate {
        case .pruned: image.isPruned = true
        case .runs, nil: break
        case .crashes: image.fate = .crashes
        case .unhealthy: image.fate = .unhealthy
        case .unpullable: image.fate = .unpullable
        }
        app.images.append(image)
    }
}
