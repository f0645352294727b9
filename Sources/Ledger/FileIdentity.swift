/// What tells one state of a file from another without reading it: any change resets the stability clock.
public struct FileIdentity: Sendable, Hashable {
    /// Bytes.
    public var size: Int64
    /// `st_mtim` in nanoseconds since 1970; negative before.
    public var modified: Int64
    /// `st_ctim` in nanoseconds since 1970; unlike `modified` no program can set it.
    public var changed: Int64
    public var inode: UInt64

    public init(size: Int64, modified: Int64, changed: Int64, inode: UInt64) {
        self.size = size
        self.modified = modified
        self.changed = changed
        self.inode = inode
    }
}
