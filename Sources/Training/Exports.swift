// Whoever trains names the configuration to train with: it comes with this module.
@_exported import Configuration
