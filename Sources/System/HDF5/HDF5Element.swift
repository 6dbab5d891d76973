import CHDF5

/// Numbers that a file stores, little-endian whatever the machine.
package protocol HDF5Element: BitwiseCopyable, Sendable {
    static var storage: HDF5Storage { get }
}

package enum HDF5Storage: String, Sendable, CaseIterable {
    case float32, float64, int32, int64, uint8

    /// The type in the file.
    var stored: hid_t {
        switch self {
        case .float32: shim_stored_float32()
        case .float64: shim_stored_float64()
        case .int32: shim_stored_int32()
        case .int64: shim_stored_int64()
        case .uint8: shim_stored_uint8()
        }
    }

    /// The type in memory.
    var native: hid_t {
        switch self {
        case .float32: shim_memory_float32()
        case .float64: shim_memory_float64()
        case .int32: shim_memory_int32()
        case .int64: shim_memory_int64()
        case .uint8: shim_memory_uint8()
        }
    }

    package var bytes: Int {
        switch self {
        case .uint8: 1
        case .float32, .int32: 4
        case .float64, .int64: 8
        }
    }
}

extension Float: HDF5Element { package static var storage: HDF5Storage { .float32 } }
extension Double: HDF5Element { package static var storage: HDF5Storage { .float64 } }
extension Int32: HDF5Element { package static var storage: HDF5Storage { .int32 } }
extension Int64: HDF5Element { package static var storage: HDF5Storage { .int64 } }
extension UInt8: HDF5Element { package static var storage: HDF5Storage { .uint8 } }
