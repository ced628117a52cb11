import KubernetesAPI
import Model
import Sources

extension ClusterSource {
    /// Lists, watches from there, and begins anew where a watch cannot go on; until the task is cancelled.
    func follow(_ index: Int) async {
        var version: String?
        var failures = 0
        while !Task.isCancelled {
            var pause: Duration?
            do throws(KubernetesError) {
                if version == nil {
                    version = try await list(index)
                    failures = 0
                }
                let (end, wasUseful) = try await watch(index, from: version ?? "")
                version = end
                if wasUseful {
                    failures = 0
                } else {
                    // A server that ends every watch at once is not asked in a loop.
                    failures += 1
                    pause = backoff(failures)
                }
            } catch {
                failures += 1
                switch error.code {
                case .gone where failures < 3: version = nil
                default:
                    // What was seen may not be there any more when the server knows no such kind.
                    if error.code == .gone || error.code == .notFound { version = nil }
                    if !Task.isCancelled { note(error, index) }
                    pause = max(error.retryAfter ?? .zero, backoff(failures))
                }
            }
            if let pause { do { try await clock.sleep(for: min(pause, .seconds(300))) } catch { return } }
        }
    }

    /// Reads all objects of a scope; returns where a watch may begin.
    func list(_ index: Int) async throws(KubernetesError) -> String {
        let list = try await client.list(
            .systems, namespace: scopes[index].namespace, labelSelector: selector, pageSize: pace.pageSize)
        var objects: [SystemID: SystemObject] = [:]
        for object in list.items.lazy.compactMap({ SystemObject($0) }) { objects[object.id] = object }
        let before = scopes[index]
        let isSame =
            before.isRead && before.trouble == nil && before.objects.count == objects.count
            && objects.allSatisfy { id, object in before.objects[id].map(object.isSame) ?? false }
        scopes[index].objects = objects
        scopes[index].isRead = true
        scopes[index].trouble = nil
        if !isSame { tell() }
        return list.resourceVersion
    }

    /// Watches until the server ends it, or the connection breaks; returns where the next may begin, and whether anything came of it.
    private func watch(_ index: Int, from start: String) async throws(KubernetesError) -> (version: String, wasUseful: Bool) {
        var version = start
        let elapsed = stopwatch()
        let events = try await client.watch(
            .systems, namespace: scopes[index].namespace, labelSelector: selector, from: start, timeout: pace.watch)
        if scopes[index].trouble != nil {
            scopes[index].trouble = nil
            tell()
        }
        do {
            for try await event in events {
                switch event {
                case .bookmark(let bookmark): version = bookmark
                case .added(let json), .modified(let json):
                    guard let object = SystemObject(json) else { continue }
                    version = object.resourceVersion
                    let before = scopes[index].objects.updateValue(object, forKey: object.id)
                    if !(before.map(object.isSame) ?? false) { tell() }
                case .deleted(let json):
                    guard let object = SystemObject(json) else { continue }
                    version = object.resourceVersion
                    if scopes[index].objects.removeValue(forKey: object.id) != nil { tell() }
                }
            }
        } catch let error as KubernetesError where error.code != .transport {
            throw error
        } catch {
            // The connection broke; the next one tells whether that is more than a moment.
        }
        return (version, version != start || elapsed() > .seconds(5))
    }

    /// Remembers why nothing is known, for the next holding.
    func note(_ error: KubernetesError, _ index: Int) {
        var message = error.description
        if error.code == .notFound {
            message =
                "\(client.connection.place) knows no Systems (systems.belay.dev); "
                + "install them: kubectl apply -f manifests/crd/systems.belay.dev.yaml"
        }
        let trouble = SourceError(error.code == .notFound ? .notFound : .unreadable, message)
        guard scopes[index].trouble != trouble else { return }
        scopes[index].trouble = trouble
        tell()
    }

    private func backoff(_ failures: Int) -> Duration {
        let pause = min(pace.firstBackoff * (1 << min(max(failures - 1, 0), 16)), pace.longestBackoff)
        return pause * Double.random(in: 0.8...1.2)
    }

    private func stopwatch() -> () -> Duration {
        func start<C: Clock<Duration>>(_ clock: C) -> () -> Duration {
            let start = clock.now
            return { start.duration(to: clock.now) }
        }
        return start(clock)
    }
}
