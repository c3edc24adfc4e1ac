//! Proves the finished fixtures, and writes their certificates: `prove FIXTURES PROOFS [NAME…]`, two
//! directories. Also checks a certificate: `prove verify FILE CERTIFICATE`.

use anyhow::{Context, Result, ensure};
use ioworkload_check::{expected, proof};
use proof::Certificate;
use std::fs;
use std::path::Path;
use std::time::Instant;

fn main() -> Result<()> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    match &args[..] {
        [verify, file, certificate] if verify == "verify" => {
            let certificate = serde_json::from_slice(&fs::read(certificate)?)?;
            proof::verify(&fs::read(file)?, &certificate)
        }
        [fixtures, proofs, names @ ..] => all(Path::new(fixtures), Path::new(proofs), names),
        _ => anyhow::bail!("prove FIXTURES PROOFS [NAME…], prove verify FILE CERTIFICATE"),
    }
}

fn all(fixtures: &Path, proofs: &Path, some: &[String]) -> Result<()> {
    let names = expected::ALL.iter().map(|(name, _)| *name);
    let names: Vec<_> = names
        .filter(|name| some.is_empty() || some.iter().any(|of| of == name))
        .collect();
    let start = Instant::now();
    let mut total = Figures::default();
    for proof in on_two_threads(fixtures, &names) {
        let proof = proof?;
        let text = serde_json::to_string_pretty(&proof)? + "\n";
        fs::write(proofs.join(format!("{}.proof.json", proof.scenario)), text)?;
        let figures = Figures::of(&proof);
        println!("{:22} {figures}", proof.scenario);
        proof
            .unread
            .iter()
            .for_each(|word| println!("    looks not at: {word}"));
        proof
            .not_shown
            .iter()
            .for_each(|line| println!("    NOT SHOWN: {line}"));
        total.add(&figures);
    }
    println!(
        "{:22} {total}; {:.1} s",
        names.len(),
        start.elapsed().as_secs_f64()
    );
    ensure!(total.0[8] == 0, "{} not shown", total.0[8]);
    Ok(())
}

fn on_two_threads(fixtures: &Path, names: &[&str]) -> Vec<Result<Certificate>> {
    let prove =
        |names: &[&str]| -> Vec<_> { names.iter().map(|name| one(fixtures, name)).collect() };
    let (first, second) = names.split_at(names.len() / 2);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| prove(first));
        let second = prove(second);
        first
            .join()
            .expect("no panic")
            .into_iter()
            .chain(second)
            .collect()
    })
}

fn one(fixtures: &Path, name: &str) -> Result<Certificate> {
    let file = fs::read(fixtures.join(name)).with_context(|| name.to_owned())?;
    proof::prove(name, &file).with_context(|| name.to_owned())
}

/// Sites to which a path comes, those to which none does, arguments, wrong answers, words, ends, not shown.
#[derive(Default)]
struct Figures([u64; 9]);

impl Figures {
    fn of(proof: &Certificate) -> Self {
        let dead = proof
            .sites
            .iter()
            .filter(|site| site.numbers.is_empty())
            .count() as u64;
        let sites = proof.sites.len() as u64;
        let (args, words) = (proof.arguments, proof.words);
        let not_shown = proof.not_shown.len() as u64;
        Self([
            sites - dead,
            dead,
            args.proved,
            args.of,
            proof.answers,
            words.proved,
            words.of,
            proof.ends,
            not_shown,
        ])
    }

    fn add(&mut self, other: &Self) {
        self.0
            .iter_mut()
            .zip(other.0)
            .for_each(|(total, figure)| *total += figure);
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [
            sites,
            dead,
            args,
            stated,
            answers,
            words,
            written,
            ends,
            not_shown,
        ] = self.0;
        write!(
            f,
            "{sites:3} sites, {dead} where no path comes; {args:3} of {stated} arguments; {answers:3} sets of \
             wrong answers, {words} of {written} words; {ends} ends; {not_shown} not shown"
        )
    }
}
