import SpecFields
import Testing

@Suite struct DurationTextTests {
    @Test(arguments: [
        ("60s", Duration.seconds(60), "1m"), ("2m", .seconds(120), "2m"), ("1h30m", .seconds(5400), "1h30m"),
        ("500ms", .milliseconds(500), "500ms"),
        ("1s1ms", .milliseconds(1001), "1s1ms"), ("0s", .zero, "0s"), ("999999999h", .seconds(3_599_999_996_400), "999999999h"),
    ])
    func durationsAreReadAndWritten(text: String, duration: Duration, written: String) {
        #expect(Duration(specText: text) == duration)
        #expect(duration.specText == written)
    }

    @Test(arguments: ["", "60", "s", "1.5s", "-1s", "1s1m", "1s1s", "1d", "1 s", "1S", "1s ", "9999999999h", "１s"])
    func otherTextsAreNoDurations(text: String) {
        #expect(Duration(specText: text) == nil)
    }
}
