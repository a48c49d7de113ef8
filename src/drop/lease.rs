//! Read leases (Linux, fcntl(2)): granted only while no process has the file open for writing, and so the surest proof
//! that a file is finished. The only file with unsafe code: no safe crate offers `F_SETLEASE`.
//!
//! When a process opens a leased file for writing, the kernel holds it up, tells us by a signal, and lets it go on when
//! we close the file (after 45 seconds at the latest). That signal is SIGIO, which kills who does not expect it. We ask
//! for SIGURG instead, on this one descriptor: that is ignored by default, so nothing in the process need be set up and
//! no handler of somebody else is in the way.
#![expect(
    unsafe_code,
    reason = "fcntl with a lease is in no safe crate; the calls take and give plain integers"
)]

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;

use super::settle::Lease;

/// Whether a lease says anything about writers here: not where other machines or a daemon write past this kernel.
/// There some grant leases blindly, and others refuse them without a writer (NFSv4, SMB).
pub(super) fn speak_for(folder: &Path) -> bool {
    const REMOTE: [i128; 12] = [
        0x6969,      // NFS
        0xFF53_4D42, // CIFS
        0xFE53_4D42, // SMB2
        0x517B,      // SMB
        0x6573_5546, // FUSE
        0x0102_1997, // 9P
        0x00C3_6400, // Ceph
        0x5346_414F, // AFS (OpenAFS, kAFS)
        0x6B41_4653, // kAFS
        0x7461_636F, // OCFS2
        0x0116_1970, // GFS2
        0x0BD0_0BD0, // Lustre
    ];
    rustix::fs::statfs(folder).is_ok_and(|facts| {
        // How wide this number is, and whether it has a sign, is up to the architecture.
        let kind = i128::from(facts.f_type) & 0xFFFF_FFFF;
        !REMOTE.contains(&kind)
    })
}

/// Which signal a descriptor sends (fcntl(2)); `libc` lacks it.
const F_SETSIG: libc::c_int = 10;

/// Asks for a read lease on an open file. It ends when the file is closed.
pub(super) fn take(file: &File) -> Lease {
    let fd = file.as_raw_fd();
    // SAFETY: `fd` is open for as long as `file` is borrowed; the calls touch no memory of ours.
    let refused = unsafe {
        if libc::fcntl(fd, F_SETSIG, libc::SIGURG) == -1 {
            return Lease::None;
        }
        libc::fcntl(fd, libc::F_SETLEASE, libc::F_RDLCK) == -1
    };
    if !refused {
        return Lease::Granted;
    }
    // Else it is not ours to lease (EACCES), or cannot be leased (EINVAL, ENOLCK, …): no statement at all.
    match std::io::Error::last_os_error().kind() {
        std::io::ErrorKind::WouldBlock => Lease::Refused,
        _ => Lease::None,
    }
}

/// Whether the lease still stands: no process has opened the file for writing since.
pub(super) fn stands(file: &File) -> bool {
    // SAFETY: as above.
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETLEASE) == libc::F_RDLCK }
}
