public import Model
public import State

/// How a flag is to be set at once, by hand.
public struct FlagOrder: Sendable {
    public var name: String
    public var setting: FlagSetting
    /// True for an emergency: whatever its guard, its pin and the open transition say.
    public var isKill: Bool
    public var reason: String?
    /// The flag as the spec pins it from now on; nil where the spec stays as it is.
    public var pinned: FeatureFlag?
    /// Sets the store although the state can be neither locked nor written. Then nothing is recorded of it.
    public var breaksGlass: Bool
    public var holder: LockHolder

    public init(
        name: String, setting: FlagSetting, isKill: Bool = false, reason: String? = nil, pinned: FeatureFlag? = nil,
        breaksGlass: Bool = false, holder: LockHolder
    ) {
        self.name = name
        self.setting = setting
        self.isKill = isKill
        self.reason = reason
        self.pinned = pinned
        self.breaksGlass = breaksGlass
        self.holder = holder
    }
}
