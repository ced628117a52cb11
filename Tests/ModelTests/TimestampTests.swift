import Model
import Testing

@Suite struct TimestampTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var why: String
        var text: String
        var milliseconds: Int64?
        var testDescription: String { "\(why): \(text)" }
    }

    static let cases: [Case] = [
        Case(why: "the epoch", text: "1970-01-01T00:00:00Z", milliseconds: 0),
        Case(why: "milliseconds", text: "1970-01-01T00:00:01.250Z", milliseconds: 1250),
        Case(why: "one digit of fraction", text: "1970-01-01T00:00:01.2Z", milliseconds: 1200),
        Case(why: "nanoseconds are cut", text: "1970-01-01T00:00:01.250999999Z", milliseconds: 1250),
        Case(why: "before the epoch", text: "1969-12-31T23:59:59.999Z", milliseconds: -1),
        Case(why: "a leap day", text: "2024-02-29T00:00:00Z", milliseconds: 1_709_164_800_000),
        Case(why: "after the leap day of a century", text: "2000-03-01T00:00:00Z", milliseconds: 951_868_800_000),
        Case(why: "east of Greenwich is earlier", text: "1970-01-01T02:00:00+02:00", milliseconds: 0),
        Case(why: "west is later", text: "1969-12-31T18:30:00-05:30", milliseconds: 0),
        Case(why: "an offset over midnight", text: "1970-01-02T00:30:00+01:00", milliseconds: 84_600_000),
        Case(why: "lower case", text: "1970-01-01t00:00:00z", milliseconds: 0),
        Case(why: "a space, which RFC 3339 allows", text: "1970-01-01 00:00:00Z", milliseconds: 0),
        Case(why: "a leap second", text: "1970-01-01T00:00:60Z", milliseconds: 60_000),
        Case(why: "no zone", text: "1970-01-01T00:00:00", milliseconds: nil),
        Case(why: "an offset without colon", text: "1970-01-01T00:00:00+0200", milliseconds: nil),
        Case(why: "month 13", text: "1970-13-01T00:00:00Z", milliseconds: nil),
        Case(why: "hour 24", text: "1970-01-01T24:00:00Z", milliseconds: nil),
        Case(why: "a point without digits", text: "1970-01-01T00:00:00.Z", milliseconds: nil),
        Case(why: "more behind it", text: "1970-01-01T00:00:00Z ", milliseconds: nil),
        Case(why: "letters for digits", text: "197a-01-01T00:00:00Z", milliseconds: nil),
        Case(why: "nothing", text: "", milliseconds: nil),
    ]

    @Test(arguments: cases) func aTimeIsReadAsRFC3339(_ one: Case) {
        #expect(Timestamp(one.text)?.millisecondsSinceEpoch == one.milliseconds)
    }

    @Test func everyTimeSurvivesBeingWrittenAndRead() {
        var milliseconds: Int64 = -62_135_596_800_000  // The year 1
        while milliseconds < 253_402_300_799_999 {  // The year 9999
            let time = Timestamp(millisecondsSinceEpoch: milliseconds)
            #expect(Timestamp(time.description) == time)
            milliseconds += 86_400_000 * 97 + 12_345_678
        }
    }

    @Test func aWholeSecondHasNoFraction() {
        #expect(Timestamp(millisecondsSinceEpoch: 1000).description == "1970-01-01T00:00:01Z")
        #expect(Timestamp(millisecondsSinceEpoch: 1001).description == "1970-01-01T00:00:01.001Z")
    }

    @Test func theSecondThatATimeIsInIsTheOneBefore() {
        #expect(Timestamp(millisecondsSinceEpoch: 1999).wholeSecond.description == "1970-01-01T00:00:01Z")
        #expect(Timestamp(millisecondsSinceEpoch: 2000).wholeSecond.description == "1970-01-01T00:00:02Z")
        #expect(Timestamp(millisecondsSinceEpoch: -1).wholeSecond.description == "1969-12-31T23:59:59Z")
    }

    @Test func theFirstAndTheLastTimeCanBeShownAndCountedOn() {
        let (first, last) = (Timestamp(millisecondsSinceEpoch: .min), Timestamp(millisecondsSinceEpoch: .max))
        #expect(first.description == "-292275055-05-16T16:47:04.192Z")
        #expect(last.description == "292278994-08-17T07:12:55.807Z")
        _ = [first, last].map { [$0.wholeSecond.description, ($0 + .seconds(Int64.max) + .milliseconds(999)).description] }
    }

    @Test func timesAreAddedAndSubtracted() {
        let time = Timestamp(millisecondsSinceEpoch: 5000)
        #expect((time + .milliseconds(250)).millisecondsSinceEpoch == 5250)
        #expect((time + .seconds(-6)).millisecondsSinceEpoch == -1000)
        #expect(time - Timestamp(millisecondsSinceEpoch: 6500) == .milliseconds(-1500))
    }
}
