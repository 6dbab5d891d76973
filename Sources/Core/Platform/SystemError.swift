/// What the operating system said about the last call that failed.
package func systemError() -> String { unsafe String(cString: strerror(errno)) }
