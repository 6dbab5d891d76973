import BaselineLoops
package import KernelLoops
import Platform

#if arch(x86_64)
    import WideLoops
#endif

/// The loops for this processor, chosen once.
package let kernelLoops: any LoopSet.Type = {
    #if arch(x86_64)
        if Processor.ofThisMachine.supports(.avx512) { return WideLoops.Loops.self }
    #endif
    return BaselineLoops.Loops.self
}()
