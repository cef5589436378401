//! A byte buffer in blocks of equal size.
//!
//! Growing it moves no bytes. A single vector would be in memory twice while it grows, and the
//! memory of a WebAssembly instance never shrinks.

use alloc::vec::Vec;
use core::hint::black_box;

use crate::error::ErrorCode;

/// The size of a block in bytes. The first block grows up to it, since most files need no second.
const BLOCK: usize = 32 << 10;

/// A byte buffer. All blocks but the last are full.
pub(crate) struct Blocks {
    blocks: Vec<Vec<u8>>,
    len: usize,
}

impl Blocks {
    pub(crate) const fn new() -> Self {
        Blocks { blocks: Vec::new(), len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The memory that the buffer occupies, in bytes.
    pub(crate) fn capacity(&self) -> usize {
        self.blocks.iter().map(Vec::capacity).sum()
    }

    /// The memory that the buffer would occupy at most if it reached `len`, in bytes.
    pub(crate) fn capacity_for(&self, len: usize) -> usize {
        if len <= self.room() {
            return self.capacity();
        }
        // The first block may double as it grows; every other block is allocated at once.
        let first = len.min(BLOCK).next_power_of_two().min(BLOCK);
        let blocks = if len <= BLOCK { first } else { len.div_ceil(BLOCK).saturating_mul(BLOCK) };
        blocks.max(self.capacity())
    }

    /// The length up to which the buffer grows without more memory.
    fn room(&self) -> usize {
        let full = self.blocks.len().saturating_sub(1) * BLOCK;
        self.blocks.last().map_or(0, |last| full + last.capacity().min(BLOCK))
    }

    /// The bytes from `offset` to the end of their block; empty only at the end of the buffer.
    pub(crate) fn piece(&self, offset: usize) -> &[u8] {
        let block = self.blocks.get(offset / BLOCK);
        block.and_then(|block| block.get(offset % BLOCK..)).unwrap_or_default()
    }

    /// Copies bytes from `offset` and returns how many there were.
    pub(crate) fn read(&self, offset: usize, buffer: &mut [u8]) -> usize {
        let mut read = 0;
        loop {
            let piece = self.piece(offset + read);
            let to = buffer.get_mut(read..).unwrap_or_default();
            let count = piece.len().min(to.len());
            if count == 0 {
                return read;
            }
            to[..count].copy_from_slice(&piece[..count]);
            read += count;
        }
    }

    /// Writes at `offset`. A gap before it becomes zeros. Changes nothing if memory is exhausted.
    pub(crate) fn write(&mut self, offset: usize, mut data: &[u8]) -> Result<(), ErrorCode> {
        let end = offset.checked_add(data.len()).ok_or(ErrorCode::OutOfMemory)?;
        self.grow(end)?;
        let mut start = offset % BLOCK;
        for block in self.blocks.iter_mut().skip(offset / BLOCK) {
            let to = block.get_mut(start..).unwrap_or_default();
            let (now, later) = data.split_at(data.len().min(to.len()));
            to[..now.len()].copy_from_slice(now);
            (data, start) = (later, 0);
        }
        Ok(())
    }

    /// Truncates, or extends with zeros. Changes nothing if memory is exhausted.
    pub(crate) fn resize(&mut self, len: usize) -> Result<(), ErrorCode> {
        self.grow(len)?;
        self.truncate(len);
        Ok(())
    }

    /// All bytes in one piece.
    pub(crate) fn into_vec(mut self) -> Vec<u8> {
        match self.blocks.len() {
            0 | 1 => self.blocks.pop().unwrap_or_default(),
            _ => self.blocks.concat(),
        }
    }

    fn truncate(&mut self, len: usize) {
        self.blocks.truncate(len.div_ceil(BLOCK));
        if let Some(last) = self.blocks.last_mut() {
            last.truncate(len - (len - 1) / BLOCK * BLOCK);
            if len < self.len {
                // What is cut is given back, so that memory follows the size.
                last.shrink_to_fit();
            }
        }
        if self.blocks.is_empty() {
            self.blocks = Vec::new();
        }
        self.len = len;
    }

    /// Extends the buffer with zeros to `len` bytes, if it is shorter.
    fn grow(&mut self, len: usize) -> Result<(), ErrorCode> {
        if len <= self.len {
            return Ok(());
        }
        let grown = self.try_grow(len);
        self.truncate(if grown.is_some() { len } else { self.len });
        grown.ok_or(ErrorCode::OutOfMemory)
    }

    fn try_grow(&mut self, len: usize) -> Option<()> {
        let more = len - self.len;
        if more > BLOCK {
            // A system that overcommits grants in small pieces what it refuses as a whole, so the
            // whole is tried first. The black box keeps the compiler from removing the allocation.
            black_box(Vec::<u8>::new()).try_reserve_exact(more).ok()?;
        }
        let count = len.div_ceil(BLOCK);
        self.blocks.try_reserve(count - self.blocks.len()).ok()?;
        self.blocks.resize_with(count, Vec::new);
        for (index, block) in self.blocks.iter_mut().enumerate().skip(self.len / BLOCK) {
            let wanted = (len - index * BLOCK).min(BLOCK);
            let room = if index == 0 && count == 1 {
                wanted.next_power_of_two().min(BLOCK)
            } else {
                BLOCK
            };
            if block.capacity() < wanted {
                block.try_reserve_exact(room - block.len()).ok()?;
            }
            block.resize(wanted, 0);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many bytes, each different from its neighbours and from those a block away.
    fn pattern(len: usize) -> Vec<u8> {
        (0..len).map(|at| (at % 251) as u8).collect()
    }

    fn all(blocks: &Blocks) -> Vec<u8> {
        let mut bytes = alloc::vec![0xEE; blocks.len() + 1];
        let read = blocks.read(0, &mut bytes);
        bytes.truncate(read);
        bytes
    }

    #[test]
    fn writes_across_blocks_are_those_of_one_piece() {
        let bytes = pattern(5 * BLOCK / 2);
        let (mut blocks, mut model) = (Blocks::new(), Vec::new());
        for (offset, len) in [
            (0, 10),
            (4, 10),
            (100, 1),
            (BLOCK - 3, 7),
            (0, 2 * BLOCK),
            (2 * BLOCK, 1),
            (3 * BLOCK + 5, BLOCK),
            (BLOCK / 2, 5 * BLOCK / 2),
            (4 * BLOCK + 5, 0),
        ] {
            blocks.write(offset, &bytes[..len]).unwrap();
            model.resize(model.len().max(offset + len), 0);
            model[offset..offset + len].copy_from_slice(&bytes[..len]);
            assert_eq!(blocks.len(), model.len());
            assert!(all(&blocks) == model, "after {len} bytes at {offset}");
        }
        assert!(blocks.into_vec() == model);
    }

    #[test]
    fn sizes_at_the_borders_of_blocks() {
        let mut blocks = Blocks::new();
        for len in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 2 * BLOCK, BLOCK, 1, 0, BLOCK + 1]
        {
            blocks.resize(len).unwrap();
            assert_eq!((blocks.len(), all(&blocks).len()), (len, len));
            assert_eq!(blocks.blocks.len(), len.div_ceil(BLOCK));
        }
        blocks.write(BLOCK, b"x").unwrap();
        blocks.resize(BLOCK).unwrap();
        blocks.resize(BLOCK + 1).unwrap();
        assert_eq!(blocks.piece(BLOCK), [0], "what was cut does not come back");
    }

    #[test]
    fn memory_is_given_back_when_the_buffer_is_cut() {
        let mut blocks = Blocks::new();
        for len in [BLOCK, 3 * BLOCK, 1 << 20] {
            blocks.resize(len).unwrap();
            blocks.resize(1).unwrap();
            assert!(blocks.capacity() < 64, "{} after {len}", blocks.capacity());
        }
        blocks.resize(0).unwrap();
        assert_eq!(blocks.capacity(), 0);
    }

    #[test]
    fn the_predicted_memory_is_never_exceeded() {
        let lens = [1, 3, 100, 5000, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 5 * BLOCK + 7, 40, 90];
        for cut in [0, 1, 1000, BLOCK / 2 + 1, BLOCK + 7] {
            let mut blocks = Blocks::new();
            for len in lens {
                let predicted = blocks.capacity_for(len);
                blocks.resize(len).unwrap();
                let capacity = blocks.capacity();
                assert!(capacity <= predicted, "{len}: {capacity} > {predicted}");
                blocks.resize(len.saturating_sub(cut)).unwrap();
            }
        }
    }

    #[test]
    fn no_memory_is_predicted_for_what_fits() {
        let mut blocks = Blocks::new();
        for (len, cut, fits) in [
            (20_000, 20_000, BLOCK),
            (20_000, 17_000, 17_000),
            (BLOCK + 1, BLOCK + 1, 2 * BLOCK),
            (3 * BLOCK, 2 * BLOCK + 5, 2 * BLOCK + 5),
        ] {
            blocks.resize(len).unwrap();
            blocks.resize(cut).unwrap();
            let capacity = blocks.capacity();
            for within in [0, 1, cut - 1, cut, fits] {
                assert_eq!(blocks.capacity_for(within), capacity, "{within} of {cut}");
            }
            assert!(blocks.capacity_for(fits + 1) > capacity);
            blocks.resize(fits).unwrap();
            assert_eq!(blocks.capacity(), capacity);
            blocks.resize(0).unwrap();
        }
    }

    #[test]
    fn reads_end_where_the_bytes_do() {
        let mut blocks = Blocks::new();
        blocks.write(0, &pattern(BLOCK + 10)).unwrap();
        let mut buffer = [0; 20];
        assert_eq!(blocks.read(BLOCK - 10, &mut buffer), 20);
        assert_eq!(buffer[..], pattern(BLOCK + 10)[BLOCK - 10..]);
        assert_eq!(blocks.read(BLOCK + 5, &mut buffer), 5);
        assert_eq!(blocks.read(BLOCK + 10, &mut buffer), 0);
        assert_eq!(blocks.read(usize::MAX, &mut buffer), 0);
    }

    #[test]
    fn what_no_memory_has_changes_nothing() {
        let mut blocks = Blocks::new();
        blocks.write(0, b"here").unwrap();
        for offset in [usize::MAX, usize::MAX - 4, isize::MAX as usize, 1 << 46] {
            assert_eq!(blocks.write(offset, b"there"), Err(ErrorCode::OutOfMemory));
            assert_eq!(all(&blocks), b"here");
        }
        blocks.write(4, b" still").unwrap();
        assert_eq!(blocks.into_vec(), b"here still");
    }
}
