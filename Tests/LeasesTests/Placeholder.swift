@testable import Leases
