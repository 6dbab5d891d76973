import KernelLoops

/// This module's set: its source is compiled twice, for the build's processor and for AVX-512 (`Package.swift`).
///
/// Whatever is called in here must be inlined whole: a function that both modules, or a third, leave behind as a shared
/// symbol would be linked once, perhaps with instructions that the processor does not have (`Tests/system/wide-loops.sh`).
package enum Loops: LoopSet {}
