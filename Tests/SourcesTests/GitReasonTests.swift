import Testing

@testable import Sources

/// What is told of a failure is told once, so that it must be the same at each attempt.
@Suite struct GitReasonTests {
    @Test(arguments: [
        (
            "Failed to connect to git.example port 443 after 12 ms: Couldn't connect to server",
            "Failed to connect to git.example port 443: Couldn't connect to server", "how long a connection took"
        ),
        (
            "Operation timed out after 30001 milliseconds with 0 out of 17 bytes received", "Operation timed out",
            "how long was waited, and for what"
        ),
        ("Connection timed out after 1.5 seconds", "Connection timed out", "a part of a second"),
        ("transfer closed with 812 bytes remaining to read", "transfer closed", "how much was missing"),
        (
            "Operation too slow. Less than 1000 bytes/sec transferred the last 30 seconds",
            "Operation too slow. Less than 1000 bytes/sec transferred the last 30 seconds", "a limit, which is the same each time"
        ),
        ("unable to look after 12 msgs", "unable to look after 12 msgs", "no time"),
    ])
    func aReasonHoldsNothingThatWasMeasured(said: String, told: String, why: String) {
        let words = "fatal: unable to access 'https://git.example/x/': "
        #expect(Git.Answer(status: 128, output: "", errors: words + said + "\n").reason == words + told, "\(why)")
    }
}
