import JSONValues
import KubernetesProvider
import Model
import ProviderKit
import Simulators
import Testing

struct SecretReadingTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var why: String
        var namespace: String? = "prod"
        var name = "db"
        var key = "DSN"
        var forbidden = false
        /// The value, or else the problem.
        var value: String?
        var problem: String?
        var testDescription: String { why }
    }

    private static let place = "(context test, https://cluster.test:6443)"

    static let cases = [
        Case(why: "a key of a Secret", value: "hunter2"),
        Case(why: "without a namespace it is the context's, or the default one", namespace: nil, value: "other"),
        Case(
            why: "no such Secret", name: "nobody",
            problem: "there is no Secret nobody in namespace prod \(place); make it, or correct its name in the spec"),
        Case(
            why: "no such key", key: "DNS",
            problem: "Secret db in namespace prod \(place) has no key DNS; name one of these: BYTES, DSN"),
        Case(
            why: "bytes that are no text", key: "BYTES",
            problem: "the key BYTES of Secret db in namespace prod \(place) is no UTF-8 text; a variable can only hold text"),
        Case(
            why: "not permitted", forbidden: true,
            problem: "Secret db: 403 while reading secrets db in namespace prod \(place): secrets \"db\" is forbidden: User \"sandbox\" "
                + "cannot get resource \"secrets\" in API group \"\" in the namespace \"prod\"; "
                + "grant user belay the verb get on secrets in namespace prod"),
    ]

    @Test(arguments: cases)
    func readsOneKey(_ item: Case) async throws {
        var world: JSON = [
            "secrets": [
                ["namespace": "prod", "name": "db", "stringData": ["DSN": "hunter2"], "data": ["BYTES": "/w=="]],
                ["namespace": "default", "name": "db", "stringData": ["DSN": "other"]],
            ]
        ]
        if item.forbidden { world["forbidden"] = [["verb": "get", "resource": "secrets"]] }
        let cluster = try Cluster([], world)
        let reading = KubernetesSecretReading(try cluster.environment())
        switch await reading.read(namespace: item.namespace, name: item.name, key: item.key) {
        case .success(let secret): #expect(secret.reveal() == item.value)
        case .failure(let problem):
            #expect(problem.description == item.problem)
            #expect(item.value == nil)
        }
        #expect(cluster.transport.received.count == 1)
        #expect(!"\(reading)".contains(Cluster.token))
    }
}
