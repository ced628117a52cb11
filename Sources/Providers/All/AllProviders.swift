import EnvFileProvider
import FlyProvider
import KubernetesProvider
public import ProviderKit
import RenderProvider
import VercelProvider

/// Every provider that Belay knows, a line each. The order is that of schemas and of the reference page.
public let allProviders: [ProviderRegistration] = [
    VercelProvider.registration,
    KubernetesProvider.registration,
    FlyProvider.registration,
    RenderProvider.registration,
    EnvFileProvider.registration,
]
