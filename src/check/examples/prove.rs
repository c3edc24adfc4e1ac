//! Proves the finished fixtures, and writes a certificate beside each: `prove DIRECTORY [NAME…]`.

use anyhow::{Context, Result, bail};
use ioworkload_check::{expected, proof};
use std::path::PathBuf;
use std::time::Instant;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let directory = PathBuf::from(args.next().context("prove DIRECTORY [NAME…]")?);
    let names: Vec<_> = args.collect();
    let all = expected::ALL.iter().map(|(name, _)| *name);
    let names: Vec<_> = all
        .filter(|name| names.is_empty() || names.iter().any(|of| of == name))
        .collect();
    let start = Instant::now();
    let (one, two) = names.split_at(names.len() / 2);
    let proofs = std::thread::scope(|scope| {
        let one = scope.spawn(|| prove(&directory, one));
        let two = prove(&directory, two);
        one.join()
            .expect("no panic")
            .into_iter()
            .chain(two)
            .collect::<Vec<_>>()
    });
    let mut total = [0; 8];
    for proof in proofs {
        print(&proof?, &mut total);
    }
    println!(
        "{} fixtures: {} of {} sites, {} of {} arguments, {} sets of wrong answers, {} ends; {} not shown; {:.1} s",
        names.len(),
        total[0],
        total[1],
        total[2],
        total[3],
        total[4],
        total[5],
        total[6],
        start.elapsed().as_secs_f64()
    );
    if total[6] > 0 {
        bail!("{} not shown", total[6]);
    }
    Ok(())
}

fn prove(directory: &std::path::Path, names: &[&str]) -> Vec<Result<proof::Certificate>> {
    names
        .iter()
        .map(|name| certificate(directory, name).with_context(|| name.to_string()))
        .collect()
}

fn certificate(directory: &std::path::Path, name: &str) -> Result<proof::Certificate> {
    let file = std::fs::read(directory.join(name))?;
    let proof = proof::prove(name, &file)?;
    let text = serde_json::to_string_pretty(&proof)? + "\n";
    std::fs::write(directory.join(format!("{name}.proof.json")), text)?;
    Ok(proof)
}

fn print(proof: &proof::Certificate, total: &mut [u64; 8]) {
    let sites = proof
        .sites
        .iter()
        .filter(|site| !site.numbers.is_empty())
        .count() as u64;
    let figures = [
        sites,
        proof.sites.len() as u64,
        proof.arguments.proved,
        proof.arguments.of,
        proof.answers,
        proof.ends,
        proof.not_shown.len() as u64,
        0,
    ];
    total
        .iter_mut()
        .zip(figures)
        .for_each(|(total, figure)| *total += figure);
    println!(
        "{:24} sites {:2}/{:2}  arguments {:3}/{:3}  answers {:3}  ends {:5}  instructions {}/{}",
        proof.scenario,
        figures[0],
        figures[1],
        figures[2],
        figures[3],
        figures[4],
        figures[5],
        proof.instructions.proved,
        proof.instructions.of
    );
    proof
        .not_shown
        .iter()
        .for_each(|line| println!("    not shown: {line}"));
}
