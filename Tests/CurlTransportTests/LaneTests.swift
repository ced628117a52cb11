import HTTPCore
import Testing

@testable import CurlTransport

struct LaneTests {
    @Test func onlySoManyGoAtOnceAndTheirPlacesAreTakenAgain() {
        var lane = Lane(limit: 2)
        var entered = (0..<3).map { _ in lane.enter() }
        #expect(entered == [true, true, false])
        lane.leave()
        entered = (0..<2).map { _ in lane.enter() }
        #expect(entered == [true, false])
        #expect(!lane.isUnused)
    }

    @Test(arguments: [
        ("http://a/b/c", "http://a", "path"), ("https://a:1?x=/", "https://a:1", "query without a path"),
        ("http://a", "http://a", "nothing more"),
        ("http://a#/", "http://a", "fragment"), ("", "", "nothing at all"), ("//", "//", "no scheme"),
    ])
    func origin(url: String, expected: String, why: String) {
        #expect(HTTPRequest(.get, url).origin == expected, Comment(rawValue: why))
    }

    @Test(arguments: [
        ("https://user:secret@a.example:8443/path?token=x", "a.example:8443"), ("http://[::1]:80/", "[::1]:80"), ("http://a?b@c", "a"),
        ("a.example/path", "an address without a scheme"), ("http:///path", "an address without a host"),
    ])
    func hostForMessages(url: String, expected: String) {
        #expect(HTTPRequest(.get, url).host == expected)
    }
}
