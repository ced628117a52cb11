import JSONValues
import Model

/// A flag definition of flagd (`https://flagd.dev/schema/v0/flags.json`). What is not changed stays as it was written, byte for byte.
struct FlagdDocument: FlagDocument {
    private(set) var text: String
    private var json: JSON
    private let place: String

    init(parsing text: String, place: String) throws(Problem) {
        self.text = text
        self.place = place
        func unusable(_ what: String) -> Problem {
            Problem(
                "FlagsNotUnderstood", "\(place): \(what)",
                next: "it must hold a flag definition of flagd, at least {\"flags\": {}}; nothing is written before")
        }
        do throws(JSONError) { json = try JSON(parsing: text) } catch { throw unusable("\(error)") }
        guard json.object != nil else { throw unusable("it is no JSON object") }
        guard let flags = json["flags"] else { throw unusable("it has no member flags") }
        guard flags.object != nil else { throw unusable("its member flags is no object; lists of flags are not supported") }
    }

    private func entry(_ name: String) -> FlagdEntry? { json["flags"]?[name].map { FlagdEntry($0, name: name, place: place) } }

    func observation(of name: String) -> FlagObservation { entry(name)?.observation ?? FlagObservation() }

    mutating func set(_ name: String, to setting: FlagSetting) throws(Problem) {
        let new = FlagdEntry.new(name, place: place)
        let value = try (entry(name) ?? new).set(to: setting)
        json["flags"]?[name] = value
        // The check costs little, and a file that was spoilt would turn off everything.
        if let edited = JSONPlace(text).setting(value, at: name, in: "flags"), (try? JSON(parsing: edited)) == json {
            text = edited
        } else {
            text = json.pretty + "\n"
        }
    }
}
