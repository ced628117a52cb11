import JSONValues
import KubernetesAPI
import Testing

struct SecretDataTests {
    @Test(arguments: ["", "hunter2", "ä\n", String(repeating: "x", count: 4000)])
    func whatIsWrittenIsRead(_ text: String) {
        let secret: JSON = ["data": SecretData.data([("KEY", text)])]
        #expect(SecretData.values(of: secret) == ["KEY": Array(text.utf8)])
    }

    @Test func whatIsNotBase64IsLeftOut() {
        #expect(SecretData.values(of: ["data": ["A": "aGk=", "B": "%", "C": 7, "D": nil]]) == ["A": Array("hi".utf8)])
        #expect(SecretData.values(of: ["data": []]) == [:])
        #expect(SecretData.values(of: []) == [:])
    }
}
