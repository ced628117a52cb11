import HTTPCore
import Testing

struct HTTPHeadersTests {
    @Test(arguments: ["content-type", "Content-Type", "CONTENT-TYPE", "cOnTeNt-TyPe"])
    func aFieldIsFoundWhateverItsCase(name: String) {
        #expect((["Content-Type": "a/b"] as HTTPHeaders)[name] == "a/b")
    }

    @Test(arguments: [
        ("Content-Typ", "shorter"), ("Content-Type2", "longer"), ("Content_Type", "another sign"), ("Content\rType", "0x0D is not 0x2D"),
    ])
    func anotherNameIsNotFound(name: String, why: String) {
        #expect((["Content-Type": "a/b"] as HTTPHeaders)[name] == nil, Comment(rawValue: why))
    }

    @Test func onlyLettersHaveCase() {
        let headers: HTTPHeaders = ["A[": "bracket", "é": "accent"]
        #expect(headers["a{"] == nil)
        #expect(headers["É"] == nil)
        #expect(headers["a["] == "bracket")
    }

    @Test func fieldsKeepTheirOrderAndTheFirstCounts() {
        var headers: HTTPHeaders = ["Link": "1", "A": "a", "link": "2"]
        #expect(headers.fields.map(\.value) == ["1", "a", "2"])
        #expect(headers["LINK"] == "1")
        headers["LINK"] = "3"
        #expect(headers.fields == [.init(name: "A", value: "a"), .init(name: "LINK", value: "3")])
        headers["a"] = nil
        #expect(headers.fields.map(\.name) == ["LINK"])
    }
}

struct PercentEncodingTests {
    @Test(arguments: [
        ("abcXYZ019-._~", "abcXYZ019-._~", "unreserved stays"), ("a b", "a%20b", "a space is never +"),
        ("a/b?c#d", "a%2Fb%3Fc%23d", "one segment"),
        ("50%", "50%25", "the sign itself"), ("é", "%C3%A9", "UTF-8"), ("🧗", "%F0%9F%A7%97", "four bytes"), ("", "", "nothing"),
        ("a\r\nb", "a%0D%0Ab", "line breaks do not get through"), ("a+b&c=d", "a%2Bb%26c%3Dd", "a query's own signs"),
    ])
    func encoding(text: String, expected: String, why: String) {
        #expect(text.percentEncoded == expected, Comment(rawValue: why))
    }

    @Test func aQueryKeepsItsOrderAndLeavesOutWhatIsNotThere() {
        #expect(String.query([("b", "1"), ("a", nil), ("c d", "e&f")]) == "?b=1&c%20d=e%26f")
        #expect(String.query([("a", "")]) == "?a=")
        #expect(String.query([("a", nil)]) == "")
        #expect(String.query([]) == "")
    }
}

struct HTTPValuesTests {
    @Test(arguments: [(199, false), (200, true), (299, true), (300, false), (404, false)])
    func success(status: Int, isSuccess: Bool) {
        #expect(HTTPResponse(status: status).isSuccess == isSuccess)
    }

    @Test func onlyReadsAreSafe() {
        #expect(HTTPMethod.allCases.filter(\.isSafe) == [.get, .head])
    }

    @Test func aKeyIsNeverPrinted() {
        let settings = TLSSettings(clientCertificate: Array("CERT".utf8), clientKey: Array("sesame".utf8))
        let key = Array("sesame".utf8).description
        let request = HTTPRequest(.get, "https://a", tls: settings)
        for text in ["\(settings)", String(reflecting: settings), "\(request)", String(reflecting: request)] {
            #expect(!text.contains(key) && !text.contains("sesame"))
        }
        var dumped = ""
        dump(settings, to: &dumped)
        #expect(!dumped.contains("115"), "115 is the first byte of the key")
    }

    @Test func invalidTextIsReplaced() {
        #expect(HTTPResponse(status: 200, body: [0x61, 0xFF]).text == "a\u{FFFD}")
    }
}
