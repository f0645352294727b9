/// What a photograph is denoised with.
public struct DenoisingRecipe: Sendable, Codable, Equatable {
    /// SHA-256 of what is computed with: options, model weights and method, as lowercase hexadecimal.
    public var hash: String
    /// Name and SHA-256 of the model.
    public var modelName: String
    public var modelHash: String

    public init(hash: String, modelName: String, modelHash: String) {
        self.hash = hash
        self.modelName = modelName
        self.modelHash = modelHash
    }
}

/// What photographs are denoised with, whichever camera they are of: of a photograph's content follows its camera, and
/// of the camera its recipe.
public struct DenoisingRecipes: Sendable, Equatable {
    /// For cameras without a model of their own.
    public var general: DenoisingRecipe
    public var ofCameras: [Camera: DenoisingRecipe]

    public init(general: DenoisingRecipe, ofCameras: [Camera: DenoisingRecipe] = [:]) {
        self.general = general
        self.ofCameras = ofCameras
    }

    /// - Parameter camera: as the photograph says it; nil where it says none.
    public subscript(camera: String?) -> DenoisingRecipe {
        Camera(camera).flatMap { ofCameras[$0] } ?? general
    }
}
