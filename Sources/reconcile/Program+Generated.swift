import AllProviders
import ClusterSource
import ClusterState
import ClusterStatus
import Flags
import KubernetesProvider
import Leases
import Manifests
import Model
import ProviderKit
import SpecLoading

extension Program {
    /// What the parts of Belay need to be allowed in a cluster: a line for each part.
    static var permissions: [ClusterPermission] {
        allProviders.flatMap(\.permissions)
            + FlagStores.permissions
            + KubernetesSecretReading.permissions + ClusterSource.permissions + ClusterReporter.permissions + Mirrors.permissions
            + ClusterStates.permissions
            + LeaderElector.permissions + Replicas.permissions
    }

    /// Every file that is made from declarations.
    static var generatedFiles: [GeneratedFile] {
        let states = GeneratedFile(definition: ClusterStates.definition, path: "manifests/crd/systemstates.belay.dev.yaml")
        let files = loader.generatedFiles + [states]
        return files + GeneratedManifests(permissions: permissions, beside: files).files
    }
}
