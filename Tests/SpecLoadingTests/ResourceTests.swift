import JSONValues
import Model
import SpecLoading
import Testing

/// Specs as a custom resource has them.
@Suite struct ResourceTests {
    @Test func textStaysTextWhateverYAMLWouldMakeOfIt() throws {
        let text = """
            apiVersion: belay.dev/v1alpha1
            kind: System
            metadata: {name: shop, namespace: prod}
            spec:
              components:
                web: {ship: {project: on}, release: 1.10, env: {A: 1, B: {fromEnv: C}}}
              databases:
                main: {sqlite: {path: x}, migrations: {path: 0x1F}, schema: 003, verify: [{sql: SELECT 1, expect: 1.50}]}
            """
        let found = SpecLoader(targets: targets).resources(in: SourceFile(name: "s.yaml", bytes: Array(text.utf8)))
        #expect(
            found == [
                SystemID(namespace: "prod", name: "shop"): [
                    "components": ["web": ["ship": ["project": "on"], "release": "1.10", "env": ["A": "1", "B": ["fromEnv": "C"]]]],
                    "databases": [
                        "main": [
                            "sqlite": ["path": "x"], "migrations": ["path": "0x1F"], "schema": "003",
                            "verify": [["sql": "SELECT 1", "expect": 1.5]],
                        ]
                    ],
                ]
            ], "\(found)")
    }
}
