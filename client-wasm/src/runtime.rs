//! What the standard library would bring along on wasm, in less: memory, and an end for a panic.

use core::panic::PanicInfo;

use rlsf::SmallGlobalTlsf;

/// An allocator of a thousand bytes of code that works in constant time.
#[global_allocator]
static MEMORY: SmallGlobalTlsf = SmallGlobalTlsf::new();

/// A trap: the page sees a `RuntimeError` and goes on without the module. The message would be larger than what it tells is
/// worth.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
